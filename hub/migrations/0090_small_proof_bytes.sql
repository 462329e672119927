-- The bytes of small proofs get a table of their own. They lay in the rows of `blob`, whose key is the hash: each
-- look for a hash read the proofs it passed on its way down the tree, bytes and all. Here they lie in the order
-- in which they came. A proof without a row here is a file, or was erased.
CREATE TABLE small_proof (
    hash  BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    bytes BLOB NOT NULL
) STRICT;
INSERT INTO small_proof (hash, bytes) SELECT hash, bytes FROM blob WHERE bytes IS NOT NULL;
ALTER TABLE blob DROP COLUMN bytes;

-- Whoever takes a proof out or erases it takes its bytes along.
CREATE TRIGGER small_proof_goes_with_its_row AFTER DELETE ON blob
BEGIN
    DELETE FROM small_proof WHERE hash = OLD.hash;
END;
CREATE TRIGGER small_proof_is_erased AFTER UPDATE OF erased_at_ms ON blob WHEN NEW.erased_at_ms IS NOT NULL
BEGIN
    DELETE FROM small_proof WHERE hash = OLD.hash;
END;
