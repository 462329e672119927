-- Who brought a proof that no entry binds yet: such proofs are counted, so that no device fills the disk with them.
ALTER TABLE blob ADD COLUMN brought_by BLOB;
CREATE INDEX blob_unbound_of ON blob (brought_by) WHERE expires_at_ms IS NOT NULL;
