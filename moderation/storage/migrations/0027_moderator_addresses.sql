-- Moderators' e-mail addresses are sealed and found by a keyed hash (storage/administration/addresses.py). `email` holds one in plain
-- text only until the processes of the release before, which know nothing else, are gone: see `plain_addresses_until`.
ALTER TABLE moderators ADD COLUMN email_sealed bytea;
ALTER TABLE moderators ADD COLUMN email_hash bytea UNIQUE;
ALTER TABLE moderators ALTER COLUMN email DROP NOT NULL;

-- Until then addresses stand in plain text as well; NULL where there never was such a process.
ALTER TABLE instance ADD COLUMN plain_addresses_until timestamptz;
UPDATE instance SET plain_addresses_until = now() + interval '1 day' WHERE EXISTS (SELECT FROM moderators);
