-- A second factor of people at the console: codes by time (RFC 6238). Processes of the release before know nothing of it, and let people
-- in by their password alone until they are gone.
ALTER TABLE moderators ADD COLUMN second_factor_sealed bytea;     -- the secret; NULL: none is set
ALTER TABLE moderators ADD COLUMN second_factor_since timestamptz;
ALTER TABLE moderators ADD COLUMN second_factor_step bigint;      -- of the last code that was taken: each is good once

CREATE TABLE recovery_codes (                                     -- each good once, in place of a code
    moderator_id uuid NOT NULL REFERENCES moderators,
    code_hash    bytea NOT NULL,                                  -- a keyed hash
    PRIMARY KEY (moderator_id, code_hash)
);
