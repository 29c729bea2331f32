-- Partitions comments, decisions and revisions by the month in which a comment came, so that an old month is detached in a moment
-- instead of deleted for hours. For an outside PostgreSQL with some 500 million comments; docs/scaling.md says when and at what price.
--
-- Stop the service, have a backup, then:   psql -v ON_ERROR_STOP=1 -1 -f partition-by-month.sql "$MODERATION_DATABASE_URL"
-- Every month from then on:                SELECT make_months(3);
-- To let go of a month:                    SELECT forget_month('2026-01-01');
--
-- Ids are UUIDv7: they begin with the milliseconds since 1970, so months are ranges of ids. What is there already becomes the first
-- partition, up to the end of this month. Nothing is copied; reading it once for the sites' ids takes minutes to an hour.

-- The sites' own ids must be unique over all months, which no index of a partitioned table can promise.
CREATE TABLE external_ids (
    site_id     integer NOT NULL,
    external_id text NOT NULL,
    comment_id  uuid NOT NULL,
    PRIMARY KEY (site_id, external_id)
);
INSERT INTO external_ids SELECT site_id, external_id, id FROM comments WHERE external_id IS NOT NULL;

CREATE FUNCTION keep_external_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        DELETE FROM external_ids e
         WHERE e.site_id = OLD.site_id AND e.external_id = OLD.external_id AND e.comment_id = OLD.id;
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') AND NEW.external_id IS NOT NULL THEN
        INSERT INTO external_ids VALUES (NEW.site_id, NEW.external_id, NEW.id);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION first_id_of(month date) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$
    SELECT rpad(lpad(to_hex((extract(epoch FROM month::timestamp AT TIME ZONE 'UTC') * 1000)::bigint), 12, '0'), 32, '0')::uuid
$$;

ALTER TABLE comments RENAME TO comments_before;
ALTER TABLE decisions RENAME TO decisions_before;
ALTER TABLE revisions RENAME TO revisions_before;
ALTER INDEX comments_pkey RENAME TO comments_before_pkey;
ALTER INDEX decisions_pkey RENAME TO decisions_before_pkey;
ALTER INDEX revisions_pkey RENAME TO revisions_before_pkey;

CREATE TABLE comments (LIKE comments_before INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (id);
CREATE TABLE decisions (LIKE decisions_before INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (comment_id);
CREATE TABLE revisions (LIKE revisions_before INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (comment_id);
ALTER TABLE comments ADD CONSTRAINT comments_pkey PRIMARY KEY (id);
ALTER TABLE decisions ADD CONSTRAINT decisions_pkey PRIMARY KEY (comment_id, sequence);
ALTER TABLE revisions ADD CONSTRAINT revisions_pkey PRIMARY KEY (comment_id, revision);

-- Every other index once more for the whole. Two lose their uniqueness: that of the sites' ids is kept by the table above, that of
-- feed positions by the one sequencer, which takes them from a sequence.
DO $$
DECLARE wanted record;
BEGIN
    FOR wanted IN
        SELECT c.relname AS name, regexp_replace(pg_get_indexdef(i.indexrelid), '^CREATE (UNIQUE )?INDEX \S+ ON (ONLY )?(\S+)_before ', '') AS body,
               left(t.relname, -length('_before')) AS parent
          FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid
         WHERE t.oid IN ('comments_before'::regclass, 'decisions_before'::regclass, 'revisions_before'::regclass) AND NOT i.indisprimary
    LOOP
        EXECUTE format('ALTER INDEX %I RENAME TO %I', wanted.name, wanted.name || '_before');
        EXECUTE format('CREATE INDEX %I ON %I %s', wanted.name, wanted.parent, wanted.body);
    END LOOP;
END $$;

-- Makes the partitions of this month's followers up to `ahead` months from now; those that are there are left alone. A month whose
-- comments came before its partition was made stays in the rest, where it works as well but cannot be detached.
CREATE FUNCTION make_months(ahead integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    month date;
    part text;
    made integer := 0;
BEGIN
    FOR month IN SELECT generate_series(date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month',
                                        date_trunc('month', now() AT TIME ZONE 'UTC') + ahead * interval '1 month', interval '1 month')
    LOOP
        FOREACH part IN ARRAY ARRAY['comments', 'decisions', 'revisions'] LOOP
            IF to_regclass(part || to_char(month, '_YYYY_MM')) IS NULL THEN
                BEGIN
                    EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', part || to_char(month, '_YYYY_MM'),
                                   part, first_id_of(month), first_id_of((month + interval '1 month')::date));
                    made := made + 1;
                EXCEPTION WHEN check_violation THEN
                    RAISE WARNING '% of % began before its partition was made, and stays in the rest', part, to_char(month, 'YYYY-MM');
                END;
            END IF;
        END LOOP;
    END LOOP;
    RETURN made;
END $$;

DO $$
DECLARE
    part text;
    ends uuid := first_id_of((date_trunc('month', now() AT TIME ZONE 'UTC') + interval '1 month')::date);
BEGIN
    FOREACH part IN ARRAY ARRAY['comments', 'decisions', 'revisions'] LOOP
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%L)', part, part || '_before', ends);
        EXECUTE format('CREATE TABLE %I PARTITION OF %I DEFAULT', part || '_rest', part);
    END LOOP;
END $$;
DROP INDEX comments_by_external_id_before;  -- the whole has made one of its own
CREATE TRIGGER keep_external_id AFTER INSERT OR DELETE OR UPDATE OF external_id ON comments
    FOR EACH ROW EXECUTE FUNCTION keep_external_id();
SELECT make_months(3);

-- Detaches a month and forgets what speaks of its comments elsewhere; the detached tables are yours to archive or drop. Refuses while
-- somebody still has to look at a comment of that month, or a site has to hear of one.
CREATE FUNCTION forget_month(month date) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    part text;
    lowest uuid := first_id_of(date_trunc('month', month)::date);
    beyond uuid := first_id_of((date_trunc('month', month) + interval '1 month')::date);
    gone bigint;
BEGIN
    IF EXISTS (SELECT FROM tasks WHERE comment_id >= lowest AND comment_id < beyond)
        OR EXISTS (SELECT FROM deliveries WHERE comment_id >= lowest AND comment_id < beyond) THEN
        RAISE EXCEPTION 'comments of % still wait for a person, or for their site to hear of them', to_char(month, 'YYYY-MM');
    END IF;
    FOREACH part IN ARRAY ARRAY['comments', 'decisions', 'revisions'] LOOP
        EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', part, part || to_char(month, '_YYYY_MM'));
    END LOOP;
    DELETE FROM recognitions WHERE comment_id >= lowest AND comment_id < beyond;
    DELETE FROM external_ids WHERE comment_id >= lowest AND comment_id < beyond;
    GET DIAGNOSTICS gone = ROW_COUNT;
    RETURN gone;
END $$;
