-- Comments that Coral asked about. It names no comment when it asks, so what it says later is joined by keyed hashes of what it
-- did name. Rows are written after the comment; without one, Coral's word becomes a label instead of a decision.
CREATE TABLE coral_comments (
    comment_id uuid PRIMARY KEY,
    site_id    integer NOT NULL,
    author_key bytea NOT NULL,                   -- tenant, author, story and parent: which comment an edit is of
    text_key   bytea NOT NULL,                   -- story's address and text: which comment feedback is about
    coral_id   text,                             -- Coral's id, once its feedback told
    seen_at    timestamptz NOT NULL
);
CREATE INDEX coral_comments_by_author ON coral_comments (author_key, seen_at);
CREATE INDEX coral_comments_by_text ON coral_comments (text_key);
CREATE UNIQUE INDEX coral_comments_by_id ON coral_comments (site_id, coral_id) WHERE coral_id IS NOT NULL;

-- Published comments of one article in the order in which readers see them, a page at a time.
CREATE INDEX comments_published ON comments (site_id, thread_id, created_at, id) WHERE state = 'approved';
