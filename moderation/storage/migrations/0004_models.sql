-- Models as every process can reach them, which of them is in force where, and who changed that. A version is immutable: its
-- files are written once, with it, and go only with it.

CREATE TABLE models (
    version     text PRIMARY KEY,                -- name and digest of the artefact
    site_id     integer,                         -- whose own it is; null: of the whole instance
    kind        text NOT NULL,                   -- retrained, refitted, added
    manifest    jsonb NOT NULL,
    report      jsonb,                           -- measures and comment ids; never a text
    refusals    jsonb NOT NULL DEFAULT '[]',     -- why it stayed a candidate; empty where nothing spoke against it
    snapshot    text,                            -- names the set of labels it saw
    learned_from integer[] NOT NULL DEFAULT '{}',-- sites whose labels it saw
    seen_until  timestamptz NOT NULL,            -- labels of before are in it; an erasure after it makes it due again
    baseline    jsonb,                           -- distribution of its scores on what it was judged by, for drift
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  text NOT NULL
);

CREATE TABLE model_files (
    version text NOT NULL REFERENCES models ON DELETE CASCADE,
    path    text NOT NULL,
    sha256  bytea NOT NULL,
    content bytea NOT NULL,
    PRIMARY KEY (version, path)
);
ALTER TABLE model_files ALTER COLUMN content SET STORAGE EXTERNAL;

-- Which model is in force for a site, or for all others where site_id is 0. No row, or no version: the one that was shipped.
CREATE TABLE active_models (
    site_id integer PRIMARY KEY,
    version text REFERENCES models,
    since   timestamptz NOT NULL
);

-- Every change of the above, append-only; outlives the versions it names.
CREATE TABLE model_changes (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at       timestamptz NOT NULL DEFAULT now(),
    site_id  integer NOT NULL,
    action   text NOT NULL CHECK (action IN ('promote', 'rollback')),
    version  text,
    previous text,
    actor    text NOT NULL,
    reason   text
);
CREATE INDEX model_changes_by_site ON model_changes (site_id, id);
