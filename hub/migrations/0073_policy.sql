-- What the operator asks of all phones. No row: nothing was ever asked.
CREATE TABLE policy (
    id            INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    recovery_key  BLOB    CHECK (length(recovery_key) = 32),
    log_key_days  INTEGER CHECK (log_key_days > 0),
    least_release TEXT,
    set_at_ms     INTEGER NOT NULL
) STRICT;

-- Keys of phones' stores, sealed to a recovery key whose private half is not here. The newest few of each phone: a
-- key that is being changed has two.
CREATE TABLE escrow (
    device_id      BLOB    NOT NULL REFERENCES device,
    key_check      BLOB    NOT NULL CHECK (length(key_check) = 32),
    sealed         BLOB    NOT NULL,
    received_at_ms INTEGER NOT NULL,
    PRIMARY KEY (device_id, key_check)
) STRICT, WITHOUT ROWID;
