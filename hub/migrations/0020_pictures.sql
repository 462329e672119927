-- The small copy of a photo that came with its entry; shown until the photo itself arrives.
ALTER TABLE attempt_proof ADD COLUMN thumb_hash BLOB;
