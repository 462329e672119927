-- Deliveries whose personal data is gone (PIPL 47). What log, tree and figures need stays: headers, and which
-- events there were.
CREATE TABLE erasure (
    parcel_id   BLOB    NOT NULL PRIMARY KEY REFERENCES parcel,
    at_ms       INTEGER NOT NULL,
    journal_seq INTEGER NOT NULL REFERENCES journal
) STRICT, WITHOUT ROWID;

-- Which entries were about it: their bodies no longer tell.
CREATE TABLE erased_entry (
    parcel_id BLOB    NOT NULL REFERENCES erasure,
    device_id BLOB    NOT NULL,
    seq       INTEGER NOT NULL,
    PRIMARY KEY (parcel_id, device_id, seq)
) STRICT, WITHOUT ROWID;

-- A proof that was held, or would have come, and is to be held no more. It still counts as received, so that
-- a phone does not send it again.
ALTER TABLE blob ADD COLUMN erased_at_ms INTEGER;
CREATE INDEX blob_erased ON blob (hash) WHERE erased_at_ms IS NOT NULL;

-- What a customer said can be emptied by an erasure and by nothing else.
DROP TRIGGER rating_is_never_changed;
CREATE TRIGGER rating_is_never_changed
BEFORE UPDATE OF rating_id, parcel_id, revision, device_id, courier_id, head, class, share, stars,
    timeliness, attitude, information, tags, lang, rated_at_ms, journal_seq ON rating_said
BEGIN
    SELECT RAISE(ABORT, 'ratings are append-only');
END;
CREATE TRIGGER rating_is_only_emptied
BEFORE UPDATE OF comment, net, agent, browser ON rating_said
WHEN NEW.comment IS NOT NULL OR NEW.net IS NOT NULL OR NEW.agent IS NOT NULL OR NEW.browser IS NOT NULL
    OR NOT EXISTS (SELECT 1 FROM erasure WHERE parcel_id = NEW.parcel_id)
BEGIN
    SELECT RAISE(ABORT, 'ratings are append-only');
END;
