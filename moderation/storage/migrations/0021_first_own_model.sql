-- Whether the site had a choice of its own before the change: going back from its first model is going back to the model of all
-- others, whichever that is by then.
ALTER TABLE model_changes ADD COLUMN had_own boolean NOT NULL DEFAULT true;
UPDATE model_changes c SET had_own = false
 WHERE NOT EXISTS (SELECT FROM model_changes earlier WHERE earlier.site_id = c.site_id AND earlier.id < c.id);
