-- A visit without photos is one row: the signature lies beside the entry that binds it, and who the visit
-- was lies there too. Each further table and each index would cost an attempt one more page of flash.
ALTER TABLE entry ADD COLUMN attempt_id BLOB;
-- When the visit was opened; only where there is no row in `attempt`, which photos need for their key.
ALTER TABLE entry ADD COLUMN opened_at_ms INTEGER;
-- The signature's bytes, last because they are the largest. Its hash is the last that the header binds.
ALTER TABLE entry ADD COLUMN ink BLOB;

-- What receipts said, beside the log and not in it: marking does not rewrite rows that are full of ink.
CREATE TABLE received (
    seq        INTEGER PRIMARY KEY REFERENCES entry (seq),
    at_ms      INTEGER,
    has_ink    INTEGER NOT NULL,
    ink_at_ms  INTEGER,
    -- An upload of the ink alone was handed out before: ask the hub first.
    started    INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX ink_waiting ON received (seq) WHERE has_ink AND ink_at_ms IS NULL;

UPDATE entry SET
    ink = (SELECT p.inline_bytes FROM proof p WHERE p.bound_seq = entry.seq AND NOT p.in_folder),
    attempt_id = (SELECT p.attempt_id FROM proof p WHERE p.bound_seq = entry.seq AND NOT p.in_folder)
WHERE seq IN (SELECT bound_seq FROM proof WHERE NOT in_folder);
INSERT INTO received (seq, at_ms, has_ink, ink_at_ms)
    SELECT e.seq, e.received_at_ms, e.ink IS NOT NULL,
        (SELECT p.received_at_ms FROM proof p WHERE p.bound_seq = e.seq AND NOT p.in_folder)
    FROM entry e
    WHERE e.received_at_ms IS NOT NULL OR e.seq IN
        (SELECT bound_seq FROM proof WHERE NOT in_folder AND received_at_ms IS NOT NULL);
DELETE FROM proof WHERE NOT in_folder;
ALTER TABLE entry DROP COLUMN received_at_ms;

-- The photos of one entry, for what rides with it. Only entries with photos pay for it.
CREATE INDEX proof_bound ON proof (bound_seq) WHERE bound_seq IS NOT NULL;
