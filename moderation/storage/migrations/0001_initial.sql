-- The system of record. Tables that every new comment writes come last; they are few and narrow on purpose,
-- because their cost is paid on the way in (docs/decisions/0003-storage.md).

CREATE TABLE instance (
    only_row        boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    key_fingerprint text,                       -- of MODERATION_SECRET_KEYS; a mismatch refuses to start
    config_version  bigint NOT NULL DEFAULT 1   -- raised by every change that running processes must notice
);
INSERT INTO instance DEFAULT VALUES;

CREATE TABLE sites (
    id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name            text NOT NULL UNIQUE,
    title           text NOT NULL,
    url             text NOT NULL,
    language        text NOT NULL DEFAULT 'ar',
    webhook_url     text,
    webhook_secrets bytea[] NOT NULL DEFAULT '{}',   -- sealed; newest first; sign what we send
    inbound_secrets bytea[] NOT NULL DEFAULT '{}',   -- sealed; newest first; check what the site sends
    settings        jsonb NOT NULL DEFAULT '{}',
    created_at      timestamptz NOT NULL DEFAULT now(),
    removed_at      timestamptz
);

CREATE TABLE policies (
    site_id    integer NOT NULL REFERENCES sites,
    version    integer NOT NULL,
    policy     jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL,
    PRIMARY KEY (site_id, version)
);

CREATE TABLE site_keys (
    id         uuid PRIMARY KEY,
    site_id    integer NOT NULL REFERENCES sites,
    dialect    text NOT NULL DEFAULT 'native',
    token_hash bytea NOT NULL UNIQUE,            -- SHA-256 of a 256-bit token
    sealed     bytea,                            -- only where a dialect needs the key again
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
CREATE INDEX site_keys_by_site ON site_keys (site_id);

CREATE TABLE moderators (
    id          uuid PRIMARY KEY,
    email       text NOT NULL UNIQUE,
    created_at  timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz
);

CREATE TABLE moderator_roles (
    moderator_id uuid NOT NULL REFERENCES moderators,
    site_id      integer NOT NULL REFERENCES sites,
    role         text NOT NULL CHECK (role IN ('moderator', 'lead', 'admin')),
    PRIMARY KEY (moderator_id, site_id)
);

CREATE TABLE moderator_tokens (
    id           uuid PRIMARY KEY,
    moderator_id uuid NOT NULL REFERENCES moderators,
    token_hash   bytea NOT NULL UNIQUE,
    created_at   timestamptz NOT NULL DEFAULT now(),
    revoked_at   timestamptz
);

-- What admins and moderators did that is not a decision on a comment: who, what, when; never private content.
CREATE TABLE audit (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    site_id integer,
    actor   text NOT NULL,
    action  text NOT NULL,
    subject text,
    details jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_by_site ON audit (site_id, id);
CREATE INDEX audit_by_subject ON audit (subject, id) WHERE subject IS NOT NULL;

CREATE TABLE threads (
    site_id integer NOT NULL,
    id      text NOT NULL,
    url     text,
    title   text,
    PRIMARY KEY (site_id, id)
);

-- What a site or its moderators hold of an author. `identity` is a keyed hash that includes the site:
-- of the e-mail address, the site's own id of the author, the name or the IP address. Rows exist only where there is something to know.
CREATE TABLE authors (
    identity bytea PRIMARY KEY,
    site_id  integer NOT NULL,
    standing text NOT NULL DEFAULT 'none' CHECK (standing IN ('none', 'trusted', 'blocked')),
    approved integer NOT NULL DEFAULT 0,         -- comments a person approved
    rejected integer NOT NULL DEFAULT 0          -- comments a person rejected
);

CREATE TABLE comments (
    id            uuid PRIMARY KEY,              -- UUIDv7
    site_id       integer NOT NULL,
    thread_id     text NOT NULL,
    external_id   text,
    parent_id     uuid,
    author_name   text,
    author_url    text,
    author_external_id text,
    identity      bytea,                         -- keyed hash: who, for limits, standing and erasure
    email_sealed  bytea,                         -- encrypted; opened only for a person with the right
    email_hash    bytea,
    address_sealed bytea,
    user_agent    text,
    text          text NOT NULL,
    language      text,
    context       jsonb,
    content_hash  bytea NOT NULL,                -- 16 bytes; tells a repeated submission from an edit
    revision      integer NOT NULL DEFAULT 1,
    state         text NOT NULL,
    sequence      integer NOT NULL,              -- of the latest decision
    origin        text NOT NULL,
    created_at    timestamptz NOT NULL,          -- as the site says, else as received
    received_at   timestamptz NOT NULL
);
CREATE UNIQUE INDEX comments_by_external_id ON comments (site_id, external_id) WHERE external_id IS NOT NULL;
CREATE INDEX comments_by_email ON comments (email_hash) WHERE email_hash IS NOT NULL;

-- Earlier texts of edited comments; the current one stands in `comments`.
CREATE TABLE revisions (
    comment_id  uuid NOT NULL,
    revision    integer NOT NULL,
    text        text NOT NULL,
    author_name text,
    author_url  text,
    replaced_at timestamptz NOT NULL,
    PRIMARY KEY (comment_id, revision)
);

-- Append-only. One row is the record of a decision and at the same time one event for the site; no text, no name, no address.
CREATE TABLE decisions (
    comment_id uuid NOT NULL,
    sequence   integer NOT NULL,
    site_id    integer NOT NULL,
    revision   integer NOT NULL,
    state      text NOT NULL,
    verdict    text,
    reasons    jsonb NOT NULL,                   -- [{code, evidence [[start, end, rule, weight]]}]
    scores     real[],                           -- in the order of domain.verdict.OUTPUTS
    model      text,
    policy     integer,
    decided_by text NOT NULL,
    actor      text,
    note       text,
    undoes     integer,
    task       text,                             -- kind of the open task that this decision closed
    origin     text NOT NULL,
    decided_at timestamptz NOT NULL,
    position   bigint,                           -- in the feed; given by the sequencer after the commit; 0: imported history, no event
    PRIMARY KEY (comment_id, sequence)
);
CREATE INDEX decisions_unsequenced ON decisions (decided_at) WHERE position IS NULL;
CREATE UNIQUE INDEX decisions_by_position ON decisions (site_id, position) WHERE position > 0;
CREATE SEQUENCE feed_positions;

-- The first feed position given out on each UTC day: where the feed begins once older events have left it.
CREATE TABLE feed_days (
    day            date PRIMARY KEY,
    first_position bigint NOT NULL
);

-- Open review tasks, at most one a comment; closing one deletes the row (what was done stands in `decisions`).
CREATE TABLE tasks (
    comment_id       uuid PRIMARY KEY,
    site_id          integer NOT NULL,
    kind             text NOT NULL CHECK (kind IN ('held', 'audit', 'escalated')),
    revision         integer NOT NULL,
    thread_id        text NOT NULL,
    language         text,
    reasons          text[] NOT NULL,
    rank             bigint NOT NULL,            -- oldest first; the three ranks: domain/ranks.py
    abuse_rank       bigint NOT NULL,            -- most abusive first
    uncertain_rank   bigint NOT NULL,            -- least certain first
    rescored         smallint NOT NULL DEFAULT 0,
    claim_id         uuid,
    claimed_by       uuid,
    claim_expires_at timestamptz
);
CREATE INDEX tasks_oldest ON tasks (site_id, rank);
CREATE INDEX tasks_abuse ON tasks (site_id, abuse_rank);
CREATE INDEX tasks_uncertain ON tasks (site_id, uncertain_rank);
CREATE INDEX tasks_special ON tasks (site_id, kind, rank) WHERE kind <> 'held';
CREATE INDEX tasks_claims ON tasks (claim_id) WHERE claim_id IS NOT NULL;
CREATE INDEX tasks_not_scored ON tasks (rank) WHERE 'not_scored' = ANY (reasons);

-- Which submission is which: keyed by the idempotency key, or by author, thread and text for those without any id.
CREATE TABLE recognitions (
    key          bytea PRIMARY KEY,              -- 16 bytes, includes site and kind
    comment_id   uuid NOT NULL,
    revision     integer NOT NULL,
    content_hash bytea NOT NULL,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX recognitions_expired ON recognitions (expires_at);

-- Comments with events that their site has not yet heard; rows exist only for sites with an endpoint.
CREATE TABLE deliveries (
    comment_id      uuid PRIMARY KEY,
    site_id         integer NOT NULL,
    next_sequence   integer NOT NULL,            -- lowest undelivered
    attempts        integer NOT NULL DEFAULT 0,  -- of next_sequence
    next_attempt_at timestamptz NOT NULL,        -- also the end of a worker's lease
    first_due_at    timestamptz NOT NULL
);
CREATE INDEX deliveries_due ON deliveries (site_id, next_attempt_at);

CREATE TABLE delivery_attempts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    comment_id  uuid NOT NULL,
    site_id     integer NOT NULL,
    sequence    integer NOT NULL,
    attempted_at timestamptz NOT NULL,
    outcome     text NOT NULL,                   -- delivered, or a stable code of what went wrong
    status      integer,                         -- HTTP status, if there was one
    duration_ms integer NOT NULL
);
CREATE INDEX delivery_attempts_by_comment ON delivery_attempts (comment_id, sequence);
CREATE INDEX delivery_attempts_by_time ON delivery_attempts (attempted_at);

CREATE TABLE dead_letters (
    comment_id uuid NOT NULL,
    sequence   integer NOT NULL,
    site_id    integer NOT NULL,
    outcome    text NOT NULL,
    died_at    timestamptz NOT NULL,
    PRIMARY KEY (comment_id, sequence)
);
CREATE INDEX dead_letters_by_site ON dead_letters (site_id, died_at);
