-- What comments are found by: filled by a background job after the commit, so that a new comment pays for nothing of it.
CREATE TABLE search_entries (
    site_id    integer NOT NULL,
    comment_id uuid NOT NULL,
    thread_id  text NOT NULL,
    identity   bytea,                            -- as in `comments`
    revision   integer NOT NULL,                 -- of the text that was read
    words      tsvector NOT NULL,                -- of text and name, folded (domain/searching.py)
    PRIMARY KEY (site_id, comment_id)            -- the order of receipt
);
CREATE INDEX search_entries_by_thread ON search_entries (site_id, thread_id, comment_id);
CREATE INDEX search_entries_by_author ON search_entries (identity, comment_id) WHERE identity IS NOT NULL;
CREATE INDEX search_entries_by_word ON search_entries USING gin (words);

-- How far the job has come.
CREATE TABLE search_progress (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    place    uuid NOT NULL,                      -- every comment up to here was looked at
    edits_at timestamptz NOT NULL                -- every edit up to here was looked at
);
