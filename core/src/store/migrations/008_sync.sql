-- Positions of this phone's log that the hub left open, because what it got for them does not verify. They do
-- not hold up what follows; they are shown until they are repaired or said again.
CREATE TABLE wedged (
    seq          INTEGER PRIMARY KEY REFERENCES entry (seq),
    reason       INTEGER NOT NULL,
    at_ms        INTEGER NOT NULL,
    -- The later entry that says it again, as written here and as the hub confirmed it.
    said_again   INTEGER,
    replaced_by  INTEGER,
    -- To be sent once more, and how often that was done.
    resend       INTEGER NOT NULL DEFAULT 0,
    tries        INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Photos wait for a line that costs nothing, unless the courier wants otherwise or the hub asks for one.
ALTER TABLE phone ADD COLUMN photos_on_metered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE proof ADD COLUMN wanted INTEGER NOT NULL DEFAULT 0;

-- Snapshots of the feed are numbered. A stop that the last whole one did not name is kept, and is known to
-- be unknown to the hub.
ALTER TABLE phone ADD COLUMN snapshot_no INTEGER NOT NULL DEFAULT 0;
ALTER TABLE phone ADD COLUMN snapshot_done INTEGER NOT NULL DEFAULT 0;
ALTER TABLE stop ADD COLUMN snapshot_no INTEGER NOT NULL DEFAULT 0;
