-- What people outside of this service's own desk said of a text: feedback of other dialects' clients, and history without a
-- comment of ours. A moderator's decision on one of our comments is not repeated here: it stands in `decisions`.
CREATE TABLE labels (
    site_id     integer NOT NULL,
    key         bytea NOT NULL,                  -- 16 bytes; the same statement sent twice has the same key, a later one replaces it
    comment_id  uuid,                            -- where it is about a comment that we hold
    source      text NOT NULL,                   -- akismet, perspective, coral, import
    text        text NOT NULL,
    language    text,
    identity    bytea,                           -- keyed hashes, so that erasing a person reaches their texts
    email_hash  bytea,
    spam        smallint CHECK (spam IN (0, 1)), -- null: nothing was said
    abuse       smallint CHECK (abuse IN (0, 1)),
    insult      smallint CHECK (insult IN (0, 1)),
    obscene     smallint CHECK (obscene IN (0, 1)),
    threat      smallint CHECK (threat IN (0, 1)),
    hate        smallint CHECK (hate IN (0, 1)),
    reject      smallint CHECK (reject IN (0, 1)),
    weight      real NOT NULL DEFAULT 1 CHECK (weight > 0),
    actor       text,                            -- whoever labelled it, as the site calls them
    labelled_at timestamptz NOT NULL,
    PRIMARY KEY (site_id, key)
);
CREATE INDEX labels_by_email ON labels (email_hash) WHERE email_hash IS NOT NULL;
CREATE INDEX labels_by_comment ON labels (comment_id) WHERE comment_id IS NOT NULL;
