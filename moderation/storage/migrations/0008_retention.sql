-- What retention has done. Nothing here is written on a comment's way in.

ALTER TABLE comments ADD COLUMN text_removed_at timestamptz;  -- text and author are gone, by retention or erasure

-- Keyed hashes of texts that retention removed, so that a decision can still be shown to have been about a given text.
CREATE TABLE removed_texts (
    comment_id uuid NOT NULL,
    revision   integer NOT NULL,
    text_hash  bytea NOT NULL,
    PRIMARY KEY (comment_id, revision)
);

-- How far each clock has come, so that a round begins where the one before stopped.
CREATE TABLE retention_progress (
    site_id integer NOT NULL,
    clock   text NOT NULL,
    place   bytea NOT NULL,                      -- 16 bytes: a comment's id, or a feed position
    PRIMARY KEY (site_id, clock)
);

CREATE INDEX revisions_by_time ON revisions (replaced_at);
CREATE INDEX labels_by_time ON labels (site_id, labelled_at);
