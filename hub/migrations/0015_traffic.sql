-- The speeds every phone plans with (A012). Only the newest table counts; a new courier is told it.
CREATE TABLE traffic (
    only       INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    item       TEXT    NOT NULL,
    made_at_ms INTEGER NOT NULL
) STRICT;
