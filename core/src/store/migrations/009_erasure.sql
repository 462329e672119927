-- Deliveries whose personal data is to go, and has gone (PIPL 47). What the hub does not have yet waits: this
-- phone's copy is the only one.
CREATE TABLE erasure (
    parcel_id     BLOB PRIMARY KEY,
    asked_at_ms   INTEGER NOT NULL,
    asked_by_hub  INTEGER NOT NULL,
    done_at_ms    INTEGER,
    -- The write-ahead log, which held the rows too, was emptied since.
    scrubbed      INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
