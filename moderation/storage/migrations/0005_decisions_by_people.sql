-- What people decided, by time: for error rates and statistics. Nothing that the service decides by itself is in it, so that it
-- costs no new comment anything.
CREATE INDEX decisions_by_people ON decisions (site_id, decided_at) WHERE decided_by <> 'service';
