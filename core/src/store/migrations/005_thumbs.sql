-- A photo's small copy: a few kilobytes that ride with the entry and stay when the photo gives way. Beside
-- the photo's row and not in it, because every look at the rows would read them along.
CREATE TABLE thumb (
    proof_id  INTEGER PRIMARY KEY REFERENCES proof (id) ON DELETE CASCADE,
    hash      BLOB NOT NULL,
    bytes     BLOB NOT NULL
) STRICT;
