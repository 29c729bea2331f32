-- What a person reads in the list of their own sessions: the browser and the system, never the whole User-Agent.
ALTER TABLE sessions ADD COLUMN device text NOT NULL DEFAULT '';
