-- What a photo's source said of itself, waiting for its entry; what the picture looks like, as 64 bits;
-- and how large and how good photos are to be here.
ALTER TABLE proof ADD COLUMN photo_facts BLOB;
ALTER TABLE proof ADD COLUMN photo_mark INTEGER;
ALTER TABLE phone ADD COLUMN photo_targets TEXT;
