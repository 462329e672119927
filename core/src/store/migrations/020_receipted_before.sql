-- Whether the hub ever signed for a photo, whatever it says now.
ALTER TABLE proof ADD COLUMN was_receipted INTEGER NOT NULL DEFAULT 0;
-- What the kept words of the hub take, which are many rows.
ALTER TABLE phone ADD COLUMN hub_words_bytes INTEGER NOT NULL DEFAULT 0;
