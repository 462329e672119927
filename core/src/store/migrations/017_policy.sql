-- What the hub asks of all its phones, as it was signed, and when the operator said so by the hub's clock.
CREATE TABLE policy (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    issued_at_ms INTEGER NOT NULL,
    recovery_key BLOB,
    log_key_days INTEGER,
    least_release TEXT
) STRICT;

-- SHA-256 of the sealed key that the hub is known to have.
ALTER TABLE phone ADD COLUMN escrow_held BLOB;
