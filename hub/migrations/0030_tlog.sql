-- The transparency log: which leaves there are, the tiles of the tree over them, and what was signed.

-- A log is begun anew only after a restore from a backup; the reason is shown to everybody who asks.
CREATE TABLE tlog (
    log_no      INTEGER NOT NULL PRIMARY KEY CHECK (log_no > 0),
    began_at_ms INTEGER NOT NULL,
    reason      TEXT    NOT NULL,
    size        INTEGER NOT NULL,
    -- The hub's own journal joins the tree in its order, a little later than it is written.
    journal_seq INTEGER NOT NULL
) STRICT;

CREATE TABLE tlog_leaf (
    log_no INTEGER NOT NULL REFERENCES tlog,
    idx    INTEGER NOT NULL,
    hash   BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (log_no, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX tlog_leaf_by_hash ON tlog_leaf (hash);

CREATE TABLE tlog_tile (
    log_no INTEGER NOT NULL REFERENCES tlog,
    level  INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hashes BLOB    NOT NULL CHECK (length(hashes) % 32 = 0),
    PRIMARY KEY (log_no, level, number)
) STRICT, WITHOUT ROWID;

-- Checkpoints shown to the public, with the cosignatures and timestamps they got.
CREATE TABLE tlog_checkpoint (
    log_no    INTEGER NOT NULL REFERENCES tlog,
    size      INTEGER NOT NULL,
    note      TEXT    NOT NULL,
    -- An RFC 3161 token over the note's text, if an authority was asked and answered.
    timestamp BLOB,
    at_ms     INTEGER NOT NULL,
    PRIMARY KEY (log_no, size)
) STRICT, WITHOUT ROWID;

-- How far each witness has followed, so that it is asked with the right proof the first time.
CREATE TABLE tlog_witness (
    vkey   TEXT    NOT NULL,
    log_no INTEGER NOT NULL REFERENCES tlog,
    size   INTEGER NOT NULL,
    PRIMARY KEY (vkey, log_no)
) STRICT, WITHOUT ROWID;

-- What the hub answered a phone: the signed receipt that first named these entries.
CREATE TABLE receipt_given (
    device_id BLOB    NOT NULL REFERENCES device,
    first_seq INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL,
    receipt   BLOB    NOT NULL,
    PRIMARY KEY (device_id, first_seq, last_seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER tlog_leaf_is_never_changed BEFORE UPDATE ON tlog_leaf
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only');
END;
CREATE TRIGGER tlog_leaf_is_never_deleted BEFORE DELETE ON tlog_leaf
BEGIN
    SELECT RAISE(ABORT, 'the log is append-only');
END;
