-- Clocks for what had none: authors of whom nothing was decided for long, and what Akismet's and Coral's words are matched by.

ALTER TABLE authors ADD COLUMN decided_at timestamptz NOT NULL DEFAULT now();  -- when a person last decided on one of theirs
CREATE INDEX authors_by_time ON authors (site_id, decided_at) WHERE standing = 'none';

-- Calls to Akismet's clients are leased site by site, so that one that hangs holds up no other.
CREATE INDEX akismet_checks_due_by_site ON akismet_checks (site_id, due_at) WHERE due_at IS NOT NULL;
DROP INDEX akismet_checks_due;
