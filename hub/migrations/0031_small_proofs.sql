-- Signatures and thumbnails that come inside a batch are kept in its transaction: a file each would cost two
-- flushes of the disk for a few hundred bytes. NULL: the proof is a file.
ALTER TABLE blob ADD COLUMN bytes BLOB;
