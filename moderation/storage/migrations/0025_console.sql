-- The way in to the console: a password, or a one-time link to set one, and sessions. A token is kept as its SHA-256 alone.
ALTER TABLE moderators ADD COLUMN password text;                  -- argon2id, encoded with its parameters and salt
ALTER TABLE moderators ADD COLUMN invitation_hash bytea UNIQUE;   -- the one link that is good now
ALTER TABLE moderators ADD COLUMN invited_until timestamptz;

CREATE TABLE sessions (
    token_hash   bytea PRIMARY KEY,
    moderator_id uuid NOT NULL REFERENCES moderators,
    began_at     timestamptz NOT NULL,
    seen_at      timestamptz NOT NULL            -- written at most once a minute
);
CREATE INDEX sessions_by_moderator ON sessions (moderator_id);
CREATE INDEX sessions_by_time ON sessions (seen_at);
