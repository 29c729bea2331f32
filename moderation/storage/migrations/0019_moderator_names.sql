-- By what a moderator's colleagues know them; chosen by whoever adds them, and never an e-mail address.
ALTER TABLE moderators ADD COLUMN name text;
