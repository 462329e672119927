-- Since when nothing is known of the folder of photos, which is away or is not known to be this store's.
ALTER TABLE phone ADD COLUMN folder_away_since_ms INTEGER;
-- Since when the file of a photo fails to be read in a folder that is there.
ALTER TABLE proof ADD COLUMN unread_since_ms INTEGER;
