-- What planning keeps beside the order of the stops: the plan the courier sees (so that a killed app
-- shows the same times and reasons), his wishes, and the newest traffic table.
CREATE TABLE planning (
    what   TEXT PRIMARY KEY CHECK (what IN ('plan', 'wishes', 'traffic')),
    at_ms  INTEGER NOT NULL,
    body   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
