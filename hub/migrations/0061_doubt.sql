-- What the hub wonders about in a courier's log. Nothing follows from it by itself: the courier sees it and may answer,
-- a person judges, and all of that stays.
CREATE TABLE doubt (
    doubt_id       BLOB    NOT NULL PRIMARY KEY CHECK (length(doubt_id) = 16),
    kind           TEXT    NOT NULL,
    device_id      BLOB    NOT NULL REFERENCES device,
    seq            INTEGER NOT NULL,
    courier_id     BLOB    NOT NULL REFERENCES courier,
    parcel_id      BLOB    NOT NULL,
    occurred_at_ms INTEGER NOT NULL,
    -- What it is compared with: another attempt, or the time a camera noted.
    other_device   BLOB,
    other_seq      INTEGER,
    other_at_ms    INTEGER,
    apart_m        INTEGER,
    raised_at_ms   INTEGER NOT NULL,
    answer         TEXT,
    answered_at_ms INTEGER,
    verdict        TEXT    CHECK (verdict IN ('dismissed', 'upheld')),
    why            TEXT,
    judged_at_ms   INTEGER,
    CHECK ((verdict IS NULL) = (judged_at_ms IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX doubt_by_time ON doubt (raised_at_ms);

-- How far the search has come.
CREATE TABLE doubt_cursor (
    one  INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    leaf INTEGER NOT NULL
) STRICT;
INSERT INTO doubt_cursor (one, leaf) VALUES (1, 0);

-- What a held photo looks like, or which strokes a held signature has whatever visit it is bound to: 64 bits, NULL where
-- there is nothing to tell. Near photos are found by seven parts of the 64 bits (0 to 6), equal strokes by part 7.
-- Doors with a parcel before them are alike: a photo's details (32 × 32, without what is broad) decide.
CREATE TABLE look (
    hash    BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    mark    INTEGER,
    details BLOB    CHECK (length(details) = 1024)
) STRICT, WITHOUT ROWID;
CREATE TABLE look_part (
    part  INTEGER NOT NULL CHECK (part BETWEEN 0 AND 7),
    value INTEGER NOT NULL,
    hash  BLOB    NOT NULL,
    PRIMARY KEY (part, value, hash)
) STRICT, WITHOUT ROWID;

-- What a photo says of its source.
ALTER TABLE attempt_proof ADD COLUMN source_hash BLOB;
ALTER TABLE attempt_proof ADD COLUMN taken_at_ms INTEGER;
CREATE INDEX attempt_proof_by_source ON attempt_proof (source_hash) WHERE source_hash IS NOT NULL;
