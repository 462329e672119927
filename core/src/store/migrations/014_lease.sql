-- The hub's last lease, and the last moment at which the hub's time was known: by the hub's clock and by this
-- phone's three.
CREATE TABLE lease (
    id           INTEGER PRIMARY KEY CHECK (id = 1),
    issued_at_ms INTEGER NOT NULL,
    until_ms     INTEGER,
    hub_ms       INTEGER NOT NULL,
    boot_id      BLOB    NOT NULL,
    boottime_ms  INTEGER NOT NULL,
    wall_ms      INTEGER NOT NULL
) STRICT;

-- When the hub ordered this phone to be wiped, by its clock.
ALTER TABLE phone ADD COLUMN wipe_ordered_ms INTEGER;
