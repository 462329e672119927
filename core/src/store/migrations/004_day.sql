-- What a courier records beside the attempts. The facts themselves are entries of the log; here is only
-- what finds them again, what the operator told, and the two things that are overwritten on purpose:
-- the running shift with its last fix, and a bounded run of temperatures.

-- Which entries are about a stop, a parcel or a round. Attempts are not in it: each index costs them a
-- page of flash, and they are found by their parcel.
CREATE TABLE noted (
    subject  BLOB NOT NULL,
    kind     INTEGER NOT NULL,
    seq      INTEGER NOT NULL REFERENCES entry (seq),
    PRIMARY KEY (subject, kind, seq)
) STRICT, WITHOUT ROWID;

-- A report has the id of the draft that held its photos; without an entry it is still a draft.
CREATE TABLE report (
    report_id  BLOB PRIMARY KEY,
    seq        INTEGER REFERENCES entry (seq)
) STRICT, WITHOUT ROWID;

-- Documents of the operator, each replaced whole by a later one.
CREATE TABLE told (
    what  TEXT NOT NULL CHECK (what IN ('regime', 'courier', 'other_round', 'report_answer')),
    name  TEXT NOT NULL,
    body  TEXT NOT NULL,
    PRIMARY KEY (what, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE shift (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    since_ms   INTEGER,
    fix_lat    REAL,
    fix_lng    REAL,
    fix_at_ms  INTEGER
) STRICT;
INSERT INTO shift (id) VALUES (1);

CREATE TABLE temperature (
    parcel_id  BLOB NOT NULL,
    at_ms      INTEGER NOT NULL,
    centi_c    INTEGER NOT NULL,
    PRIMARY KEY (parcel_id, at_ms, centi_c)
) STRICT, WITHOUT ROWID;
