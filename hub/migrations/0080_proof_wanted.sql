-- Proofs that somebody here asked the phones for, so that the board can say so. The question itself went out in the feed.
CREATE TABLE proof_wanted (
    hash        BLOB PRIMARY KEY NOT NULL,
    asked_at_ms INTEGER NOT NULL
) WITHOUT ROWID;
