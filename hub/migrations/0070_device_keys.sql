-- The keys that followed a device's first one. Each is vouched for by the entry before `from_seq`, which the key
-- before signed.
CREATE TABLE device_key (
    device_id BLOB    NOT NULL REFERENCES device,
    from_seq  INTEGER NOT NULL CHECK (from_seq > 1),
    log_key   BLOB    NOT NULL UNIQUE CHECK (length(log_key) = 32),
    PRIMARY KEY (device_id, from_seq)
) STRICT, WITHOUT ROWID;

-- `log_key` is what requests are signed with. Until the first request under a new one comes, the one before is
-- taken as well: the phone does not know yet that its change of keys has arrived.
ALTER TABLE device ADD COLUMN key_before BLOB;
