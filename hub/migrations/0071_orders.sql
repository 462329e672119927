-- A phone that has a lease is told when leases end; one that never had one is told nothing.
ALTER TABLE device ADD COLUMN leased INTEGER NOT NULL DEFAULT 0;

-- The phone is to destroy its key and its store. It is told so as long as it asks.
ALTER TABLE device ADD COLUMN wipe_ordered_ms INTEGER;
