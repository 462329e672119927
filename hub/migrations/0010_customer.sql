-- The customer: ratings with a class, cases, choices, and the hub's own signed journal.
-- Personal data added here: rating_said.comment, care_case.words and contact, care_event.words,
-- customer_choice.value, standing_wish.value and the bodies of journal records, and nowhere else.

-- What the hub itself asserts (a rating came in, a case was opened), signed and chained in the same
-- record format as a phone's log, so that nobody can slip one in or take one out unseen.
CREATE TABLE journal (
    seq   INTEGER NOT NULL PRIMARY KEY CHECK (seq >= 1),
    hash  BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    kind  INTEGER NOT NULL,
    header BLOB   NOT NULL,
    sig   BLOB    NOT NULL CHECK (length(sig) = 64),
    salt  BLOB,
    body  BLOB,
    at_ms INTEGER NOT NULL
) STRICT;
CREATE TRIGGER journal_is_never_deleted BEFORE DELETE ON journal
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;
-- Body and salt may be erased together (PIPL 47); nothing else ever changes.
CREATE TRIGGER journal_is_never_changed BEFORE UPDATE ON journal
WHEN NEW.seq <> OLD.seq OR NEW.hash <> OLD.hash OR NEW.kind <> OLD.kind OR NEW.header <> OLD.header
    OR NEW.sig <> OLD.sig OR NEW.at_ms <> OLD.at_ms OR NEW.salt IS NOT NULL OR NEW.body IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;

-- Everything a customer ever said about a delivery. A correction is a further revision.
CREATE TABLE rating_said (
    rating_id   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    parcel_id   BLOB    NOT NULL REFERENCES parcel,
    revision    INTEGER NOT NULL CHECK (revision >= 1),
    device_id   BLOB    NOT NULL REFERENCES device,
    courier_id  BLOB    NOT NULL REFERENCES courier,
    head        BLOB    NOT NULL CHECK (length(head) = 16),
    class       TEXT    NOT NULL CHECK (class IN ('verified', 'present')),
    -- Which second share made it 'verified'.
    share       TEXT    CHECK (share IN ('session', 'code')),
    stars       INTEGER NOT NULL CHECK (stars BETWEEN 1 AND 5),
    timeliness  INTEGER CHECK (timeliness BETWEEN 1 AND 5),
    attitude    INTEGER CHECK (attitude BETWEEN 1 AND 5),
    information INTEGER CHECK (information BETWEEN 1 AND 5),
    tags        TEXT    NOT NULL,
    comment     TEXT,
    lang        TEXT    NOT NULL,
    rated_at_ms INTEGER NOT NULL,
    -- Keyed and cut fingerprints: good to see that two raters were one, useless to find a person.
    net         BLOB,
    agent       BLOB,
    browser     BLOB,
    journal_seq INTEGER REFERENCES journal,
    bound_at_ms INTEGER,
    bound_seq   INTEGER,
    -- However many post at once, each revision of one delivery exists once.
    UNIQUE (parcel_id, revision),
    CHECK ((class = 'verified') = (share IS NOT NULL))
) STRICT;
INSERT INTO rating_said (rating_id, parcel_id, revision, device_id, courier_id, head, class, stars,
    timeliness, attitude, information, tags, comment, lang, rated_at_ms, bound_at_ms, bound_seq)
SELECT rating_id, parcel_id, 1, device_id, courier_id, head, 'present', stars, timeliness, attitude,
    information, tags, comment, lang, rated_at_ms, bound_at_ms, bound_seq FROM rating;
DROP TABLE rating;
CREATE INDEX rating_said_unbound ON rating_said (device_id, head) WHERE bound_seq IS NULL;
CREATE INDEX rating_said_by_courier ON rating_said (courier_id, rated_at_ms);
CREATE INDEX rating_said_by_client ON rating_said (net, agent) WHERE net IS NOT NULL;
CREATE INDEX rating_said_by_record ON rating_said (journal_seq) WHERE journal_seq IS NOT NULL;
CREATE TRIGGER rating_is_never_deleted BEFORE DELETE ON rating_said
BEGIN
    SELECT RAISE(ABORT, 'ratings are append-only');
END;
CREATE TRIGGER rating_is_never_changed
BEFORE UPDATE OF rating_id, parcel_id, revision, device_id, courier_id, head, class, share, stars,
    timeliness, attitude, information, tags, comment, lang, rated_at_ms, net, agent, browser,
    journal_seq ON rating_said
BEGIN
    SELECT RAISE(ABORT, 'ratings are append-only');
END;

-- Why a rating is set aside. Lifting one keeps the row.
CREATE TABLE rating_flag (
    rating_id     INTEGER NOT NULL REFERENCES rating_said,
    reason        TEXT    NOT NULL,
    flagged_at_ms INTEGER NOT NULL,
    lifted_at_ms  INTEGER,
    lifted_why    TEXT,
    PRIMARY KEY (rating_id, reason),
    CHECK ((lifted_at_ms IS NULL) = (lifted_why IS NULL))
) STRICT, WITHOUT ROWID;
CREATE TRIGGER rating_flag_is_never_deleted BEFORE DELETE ON rating_flag
BEGIN
    SELECT RAISE(ABORT, 'flags are append-only');
END;

-- Hiding takes a comment off the screens of the courier and the public, never out of the records.
CREATE TABLE rating_hidden (
    rating_id    INTEGER NOT NULL PRIMARY KEY REFERENCES rating_said,
    why          TEXT    NOT NULL CHECK (length(why) >= 3),
    hidden_at_ms INTEGER NOT NULL,
    journal_seq  INTEGER NOT NULL REFERENCES journal
) STRICT;
CREATE TRIGGER rating_hidden_is_never_deleted BEFORE DELETE ON rating_hidden
BEGIN
    SELECT RAISE(ABORT, 'hiding is on record');
END;

-- What a courier says against a rating, from his phone's log.
CREATE TABLE rating_appeal (
    device_id      BLOB    NOT NULL,
    seq            INTEGER NOT NULL,
    parcel_id      BLOB    NOT NULL,
    words          TEXT    NOT NULL,
    received_at_ms INTEGER NOT NULL,
    PRIMARY KEY (device_id, seq)
) STRICT, WITHOUT ROWID;

-- The word that stands: the last revision of each delivery, with what it counts for.
CREATE VIEW rating AS
SELECT s.rating_id, s.parcel_id, s.revision, s.device_id, s.courier_id, s.head,
    CASE WHEN s.class = 'present' AND EXISTS (SELECT 1 FROM rating_flag f
        WHERE f.rating_id = s.rating_id AND f.lifted_at_ms IS NULL) THEN 'flagged' ELSE s.class END
        AS class,
    (SELECT json_group_array(f.reason) FROM rating_flag f
        WHERE f.rating_id = s.rating_id AND f.lifted_at_ms IS NULL) AS flags,
    (SELECT h.why FROM rating_hidden h WHERE h.rating_id = s.rating_id) AS hidden_why,
    s.share, s.stars, s.timeliness, s.attitude, s.information, s.tags, s.comment, s.lang,
    s.rated_at_ms, s.journal_seq, s.bound_at_ms, s.bound_seq
FROM rating_said s
WHERE NOT EXISTS (SELECT 1 FROM rating_said n
    WHERE n.parcel_id = s.parcel_id AND n.revision > s.revision);

-- A browser that showed the customer's share for a delivery. Only the hash of its cookie.
CREATE TABLE customer_grant (
    session_hash  BLOB    NOT NULL CHECK (length(session_hash) = 32),
    parcel_id     BLOB    NOT NULL REFERENCES parcel,
    granted_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    PRIMARY KEY (session_hash, parcel_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX customer_grant_by_expiry ON customer_grant (expires_at_ms);

-- Wrong six-digit codes of one delivery: five and the code is dead.
CREATE TABLE code_tries (
    parcel_id   BLOB    NOT NULL PRIMARY KEY REFERENCES parcel,
    wrong       INTEGER NOT NULL,
    last_at_ms  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Networks a courier's phone was seen on lately, as the same keyed fingerprint as a rater's.
CREATE TABLE device_net (
    device_id    BLOB    NOT NULL REFERENCES device,
    net          BLOB    NOT NULL,
    -- Start of the present stay: half a day of silence begins a new one.
    since_ms     INTEGER NOT NULL,
    seen_at_ms   INTEGER NOT NULL,
    PRIMARY KEY (device_id, net)
) STRICT, WITHOUT ROWID;

CREATE TABLE care_case (
    case_id      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    number       TEXT    NOT NULL UNIQUE,
    kind         TEXT    NOT NULL,
    parcel_id    BLOB    REFERENCES parcel,
    rating_id    INTEGER REFERENCES rating_said,
    reason       TEXT,
    level        INTEGER NOT NULL CHECK (level IN (0, 1, 2)),
    words        TEXT    NOT NULL,
    channel      TEXT    NOT NULL,
    contact      TEXT    NOT NULL,
    lang         TEXT    NOT NULL,
    opened_at_ms INTEGER NOT NULL,
    journal_seq  INTEGER NOT NULL REFERENCES journal
) STRICT;
CREATE INDEX care_case_by_parcel ON care_case (parcel_id);
CREATE TRIGGER care_case_is_never_deleted BEFORE DELETE ON care_case
BEGIN
    SELECT RAISE(ABORT, 'cases are never dropped');
END;

CREATE TABLE care_event (
    case_id INTEGER NOT NULL REFERENCES care_case,
    ordinal INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    words   TEXT    NOT NULL,
    at_ms   INTEGER NOT NULL,
    PRIMARY KEY (case_id, ordinal)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER care_event_is_never_deleted BEFORE DELETE ON care_event
BEGIN
    SELECT RAISE(ABORT, 'a case''s history is append-only');
END;

CREATE TABLE care_file (
    case_id     INTEGER NOT NULL REFERENCES care_case,
    hash        BLOB    NOT NULL CHECK (length(hash) = 32),
    size_bytes  INTEGER NOT NULL,
    added_at_ms INTEGER NOT NULL,
    PRIMARY KEY (case_id, hash)
) STRICT, WITHOUT ROWID;

-- What a customer chose for a parcel: the record of his consent (A023), his wish for another time or
-- address, a door appointment. The last one of a kind stands.
CREATE TABLE customer_choice (
    choice_id   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    parcel_id   BLOB    NOT NULL REFERENCES parcel,
    kind        TEXT    NOT NULL,
    value       TEXT    NOT NULL,
    lang        TEXT    NOT NULL,
    made_at_ms  INTEGER NOT NULL,
    journal_seq INTEGER NOT NULL REFERENCES journal
) STRICT;
CREATE INDEX customer_choice_by_parcel ON customer_choice (parcel_id, kind);
CREATE TRIGGER customer_choice_is_never_deleted BEFORE DELETE ON customer_choice
BEGIN
    SELECT RAISE(ABORT, 'choices are consent records');
END;

-- What a recipient wants for all parcels to come, found by the keyed hash of his telephone number.
CREATE TABLE standing_wish (
    recipient  BLOB    NOT NULL PRIMARY KEY CHECK (length(recipient) = 16),
    value      TEXT    NOT NULL,
    made_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- "Did this page answer your question?" (A060): counted, nothing else kept.
CREATE TABLE helpful (
    day     TEXT    NOT NULL,
    answer  INTEGER NOT NULL CHECK (answer IN (0, 1)),
    answers INTEGER NOT NULL,
    PRIMARY KEY (day, answer)
) STRICT, WITHOUT ROWID;
