-- Proofs of which their phone says that it cannot bring them any more. Derived from the log.
CREATE TABLE proof_lost (
    device_id  BLOB NOT NULL,
    hash       BLOB NOT NULL,
    cause      INTEGER NOT NULL,
    lost_at_ms INTEGER NOT NULL,
    PRIMARY KEY (device_id, hash)
) STRICT, WITHOUT ROWID;
