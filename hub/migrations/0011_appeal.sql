-- Hiding can be taken back, and hidden again: each is a row with its journal records.
DROP VIEW rating;
DROP TRIGGER rating_hidden_is_never_deleted;
ALTER TABLE rating_hidden RENAME TO rating_hidden_once;
CREATE TABLE rating_hidden (
    hiding_id    INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    rating_id    INTEGER NOT NULL REFERENCES rating_said,
    why          TEXT    NOT NULL CHECK (length(why) >= 3),
    hidden_at_ms INTEGER NOT NULL,
    journal_seq  INTEGER NOT NULL REFERENCES journal,
    -- Shown again, with the reason for that.
    shown_at_ms  INTEGER,
    shown_why    TEXT    CHECK (length(shown_why) >= 3),
    shown_seq    INTEGER REFERENCES journal,
    CHECK ((shown_at_ms IS NULL) = (shown_why IS NULL)
        AND (shown_at_ms IS NULL) = (shown_seq IS NULL))
) STRICT;
INSERT INTO rating_hidden (rating_id, why, hidden_at_ms, journal_seq)
SELECT rating_id, why, hidden_at_ms, journal_seq FROM rating_hidden_once;
DROP TABLE rating_hidden_once;
CREATE UNIQUE INDEX rating_hidden_now ON rating_hidden (rating_id) WHERE shown_at_ms IS NULL;
CREATE TRIGGER rating_hidden_is_never_deleted BEFORE DELETE ON rating_hidden
BEGIN
    SELECT RAISE(ABORT, 'hiding is on record');
END;
CREATE TRIGGER rating_hidden_is_never_changed BEFORE UPDATE ON rating_hidden
WHEN NEW.hiding_id <> OLD.hiding_id OR NEW.rating_id <> OLD.rating_id OR NEW.why <> OLD.why
    OR NEW.hidden_at_ms <> OLD.hidden_at_ms OR NEW.journal_seq <> OLD.journal_seq
    OR OLD.shown_at_ms IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'hiding is on record');
END;

-- The case that answers a courier's appeal; none for an appeal against what was never rated.
ALTER TABLE rating_appeal ADD COLUMN case_id INTEGER REFERENCES care_case;
CREATE INDEX rating_appeal_by_parcel ON rating_appeal (parcel_id);
CREATE INDEX rating_appeal_by_case ON rating_appeal (case_id) WHERE case_id IS NOT NULL;

-- The word that stands: the last revision of each delivery, with what it counts for.
CREATE VIEW rating AS
SELECT s.rating_id, s.parcel_id, s.revision, s.device_id, s.courier_id, s.head,
    CASE WHEN s.class = 'present' AND EXISTS (SELECT 1 FROM rating_flag f
        WHERE f.rating_id = s.rating_id AND f.lifted_at_ms IS NULL) THEN 'flagged' ELSE s.class END
        AS class,
    (SELECT json_group_array(f.reason) FROM rating_flag f
        WHERE f.rating_id = s.rating_id AND f.lifted_at_ms IS NULL) AS flags,
    (SELECT h.why FROM rating_hidden h
        WHERE h.rating_id = s.rating_id AND h.shown_at_ms IS NULL) AS hidden_why,
    (SELECT c.number FROM rating_appeal a JOIN care_case c USING (case_id)
        WHERE a.parcel_id = s.parcel_id AND c.rating_id = s.rating_id
        ORDER BY c.case_id DESC LIMIT 1) AS appeal_case,
    (SELECT e.words FROM rating_appeal a JOIN care_case c USING (case_id) JOIN care_event e USING (case_id)
        WHERE a.parcel_id = s.parcel_id AND c.rating_id = s.rating_id
            AND e.kind IN ('contacted', 'progress', 'solution', 'closed')
        ORDER BY e.case_id DESC, e.ordinal DESC LIMIT 1) AS appeal_answer,
    s.share, s.stars, s.timeliness, s.attitude, s.information, s.tags, s.comment, s.lang,
    s.rated_at_ms, s.journal_seq, s.bound_at_ms, s.bound_seq
FROM rating_said s
WHERE NOT EXISTS (SELECT 1 FROM rating_said n
    WHERE n.parcel_id = s.parcel_id AND n.revision > s.revision);
