-- Where an upload lies at a server that names uploads itself, as tus lets it. Satchel's own hub names them by their
-- content, and has no rows here.
CREATE TABLE upload_place (
    hash  BLOB NOT NULL PRIMARY KEY,
    url   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
