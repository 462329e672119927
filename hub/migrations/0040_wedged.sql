-- Positions of a device's log that stand open because what was sent for them does not verify. The log goes on
-- behind them. What was sent is kept; when the right entry comes it joins the log late and the row stays as
-- the record of what happened.
CREATE TABLE wedged (
    device_id      BLOB    NOT NULL REFERENCES device,
    seq            INTEGER NOT NULL CHECK (seq >= 1),
    -- The hash that the entry for this position must have, once the next entry has named it; until then that
    -- of the bytes that came.
    hash           BLOB    NOT NULL CHECK (length(hash) = 32),
    named          INTEGER NOT NULL,
    reason         INTEGER NOT NULL,
    header         BLOB    NOT NULL,
    sig            BLOB    NOT NULL,
    salt           BLOB,
    body           BLOB,
    wedged_at_ms   INTEGER NOT NULL,
    -- A later entry says again what this one should have said.
    replaced_by    INTEGER,
    repaired_at_ms INTEGER,
    PRIMARY KEY (device_id, seq)
) STRICT, WITHOUT ROWID;
