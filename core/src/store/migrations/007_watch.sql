-- What this phone has seen of the hub's transparency log, and the hub's words that vouch for its entries.

-- The last tree that was believed.
CREATE TABLE tree_head (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    log_no  INTEGER NOT NULL,
    size    INTEGER NOT NULL,
    root    BLOB    NOT NULL CHECK (length(root) = 32),
    note    TEXT    NOT NULL
) STRICT;

-- Signed receipts with the tree beside them, as they came, by the last entry each names. They are the
-- courier's own evidence that the hub had his record, and when.
CREATE TABLE hub_word (
    last_seq  INTEGER PRIMARY KEY,
    answer    BLOB NOT NULL
) STRICT;

-- A hub that contradicted itself: the tree it had shown before and the answer that does not fit.
CREATE TABLE tree_fault (
    fault_id  INTEGER PRIMARY KEY,
    at_ms     INTEGER NOT NULL,
    what      TEXT    NOT NULL,
    known     TEXT,
    answer    BLOB    NOT NULL
) STRICT;

-- Names the last receipt: every later entry carries it and so cannot be older than that receipt.
ALTER TABLE phone ADD COLUMN anchor BLOB;
