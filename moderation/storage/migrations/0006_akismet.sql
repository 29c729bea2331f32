-- What Akismet clients were given to name their checks by. A comment has one row for each answer it got.
CREATE TABLE akismet_checks (
    guid              uuid PRIMARY KEY,             -- UUIDv7; the client keeps it with the comment
    comment_id        uuid NOT NULL,
    site_id           integer NOT NULL,
    key_id            uuid NOT NULL,
    match_key         bytea NOT NULL,               -- 16 bytes; keyed hash of what feedback repeats: text, name, e-mail
    callback          text,                         -- where the client hears of later verdicts
    name              text,                         -- the client's own name of the comment, once it told
    checked_at        timestamptz NOT NULL,
    unconfirmed_until timestamptz,                  -- then it leaves the queue; null: the client keeps the comment, or it left
    due_at            timestamptz,                  -- a verdict is to be told; also the end of a worker's lease
    attempts          smallint NOT NULL DEFAULT 0
);
CREATE INDEX akismet_checks_by_comment ON akismet_checks (comment_id);
CREATE INDEX akismet_checks_by_match ON akismet_checks (site_id, match_key);
CREATE INDEX akismet_checks_by_name ON akismet_checks (site_id, name) WHERE name IS NOT NULL;
CREATE INDEX akismet_checks_unconfirmed ON akismet_checks (unconfirmed_until) WHERE unconfirmed_until IS NOT NULL;
CREATE INDEX akismet_checks_due ON akismet_checks (due_at) WHERE due_at IS NOT NULL;

-- Calls by day, for the statistics that Akismet clients ask for; never private content.
CREATE TABLE akismet_usage (
    site_id         integer NOT NULL,
    day             date NOT NULL,
    blog            text NOT NULL,
    key_id          uuid NOT NULL,
    spam            integer NOT NULL DEFAULT 0,
    ham             integer NOT NULL DEFAULT 0,
    missed_spam     integer NOT NULL DEFAULT 0,
    false_positives integer NOT NULL DEFAULT 0,
    PRIMARY KEY (site_id, day, blog, key_id)
);
