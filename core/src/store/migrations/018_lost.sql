-- A photo whose bytes this phone cannot bring any more and the hub has not: since when, unless they turned up again, and
-- the entry that told the hub, which stays.
ALTER TABLE proof ADD COLUMN lost_at_ms INTEGER;
ALTER TABLE proof ADD COLUMN lost_seq INTEGER;
