-- Hashes of the keys that the hub's address proves itself with in TLS, 32 bytes each, one after the other, and when
-- the hub said so: 0 for the invite's.
ALTER TABLE phone ADD COLUMN pins BLOB NOT NULL DEFAULT x'';
ALTER TABLE phone ADD COLUMN pins_at_ms INTEGER NOT NULL DEFAULT 0;
