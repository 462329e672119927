-- First schema of the hub. Times are Unix milliseconds of the clock named by the column; ids are
-- 16 bytes, hashes 32. Personal data lives in stop (recipient, address), attempt (signer_name, note),
-- rating (comment) and the bodies of entries, and nowhere else.

-- 'SHUB': lets the hub tell its own file from a foreign one before it touches it.
PRAGMA application_id = 1397249346;

CREATE TABLE courier (
    courier_id    BLOB    NOT NULL PRIMARY KEY CHECK (length(courier_id) = 16),
    name          TEXT    NOT NULL UNIQUE,
    created_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE device (
    device_id         BLOB    NOT NULL PRIMARY KEY CHECK (length(device_id) = 16),
    courier_id        BLOB    NOT NULL REFERENCES courier,
    log_key           BLOB    NOT NULL UNIQUE CHECK (length(log_key) = 32),
    label             TEXT    NOT NULL,
    certificate       BLOB    NOT NULL,
    enrolled_at_ms    INTEGER NOT NULL,
    -- Entries above this position are refused; those up to it stay valid evidence.
    revoked_at_seq    INTEGER,
    quarantined_at_ms INTEGER
) STRICT;
CREATE INDEX device_by_courier ON device (courier_id);

-- Only the hash of a code: a copy of this file enrols nobody.
CREATE TABLE invite (
    code_hash     BLOB    NOT NULL PRIMARY KEY CHECK (length(code_hash) = 32),
    courier_id    BLOB    NOT NULL REFERENCES courier,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    used_at_ms    INTEGER,
    device_id     BLOB    REFERENCES device
) STRICT;

CREATE TABLE route (
    route_id     BLOB NOT NULL PRIMARY KEY CHECK (length(route_id) = 16),
    courier_id   BLOB REFERENCES courier,
    name         TEXT NOT NULL,
    service_date TEXT NOT NULL,
    depot_lat    REAL,
    depot_lng    REAL
) STRICT;
CREATE INDEX route_by_courier ON route (courier_id);

CREATE TABLE stop (
    stop_id         BLOB    NOT NULL PRIMARY KEY CHECK (length(stop_id) = 16),
    route_id        BLOB    NOT NULL REFERENCES route,
    position        INTEGER NOT NULL,
    lat             REAL    NOT NULL,
    lng             REAL    NOT NULL,
    address         TEXT    NOT NULL,
    recipient_name  TEXT    NOT NULL,
    recipient_phone TEXT    NOT NULL,
    window_start_ms INTEGER,
    window_end_ms   INTEGER
) STRICT;
CREATE INDEX stop_by_route ON stop (route_id, position);

CREATE TABLE parcel (
    parcel_id      BLOB    NOT NULL PRIMARY KEY CHECK (length(parcel_id) = 16),
    stop_id        BLOB    NOT NULL REFERENCES stop,
    waybill        TEXT    NOT NULL,
    -- Random, so that a handle in a QR says nothing and cannot be guessed.
    handle         BLOB    NOT NULL UNIQUE CHECK (length(handle) = 8),
    promise_class  TEXT    NOT NULL,
    promised_by_ms INTEGER NOT NULL,
    accepted_at_ms INTEGER NOT NULL,
    tags           TEXT    NOT NULL,
    door_required  INTEGER NOT NULL,
    consents       TEXT    NOT NULL
) STRICT;
CREATE INDEX parcel_by_stop ON parcel (stop_id);
CREATE INDEX parcel_by_waybill ON parcel (waybill);

-- Which device was ever given the key of which parcel: the keys themselves are derived, never stored.
CREATE TABLE assignment (
    parcel_id    BLOB    NOT NULL REFERENCES parcel,
    device_id    BLOB    NOT NULL REFERENCES device,
    served_at_ms INTEGER NOT NULL,
    PRIMARY KEY (parcel_id, device_id)
) STRICT, WITHOUT ROWID;

-- The evidence log, exact bytes as signed. leaf is the order of arrival over all devices.
CREATE TABLE entry (
    leaf           INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    device_id      BLOB    NOT NULL REFERENCES device,
    seq            INTEGER NOT NULL CHECK (seq >= 1),
    hash           BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
    kind           INTEGER NOT NULL,
    header         BLOB    NOT NULL,
    sig            BLOB    NOT NULL CHECK (length(sig) = 64),
    salt           BLOB,
    body           BLOB,
    received_at_ms INTEGER NOT NULL,
    UNIQUE (device_id, seq)
) STRICT;

CREATE TABLE entry_blob (
    device_id BLOB    NOT NULL,
    seq       INTEGER NOT NULL,
    ordinal   INTEGER NOT NULL,
    hash      BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (device_id, seq, ordinal),
    FOREIGN KEY (device_id, seq) REFERENCES entry (device_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX entry_blob_by_hash ON entry_blob (hash);

-- What was not accepted but must not be lost: forks, and what came with a bad entry.
CREATE TABLE entry_conflict (
    conflict_id    INTEGER NOT NULL PRIMARY KEY,
    device_id      BLOB    NOT NULL REFERENCES device,
    seq            INTEGER,
    hash           BLOB    NOT NULL CHECK (length(hash) = 32),
    reason         TEXT    NOT NULL,
    header         BLOB    NOT NULL,
    sig            BLOB    NOT NULL,
    salt           BLOB,
    body           BLOB,
    received_at_ms INTEGER NOT NULL,
    UNIQUE (device_id, hash, reason)
) STRICT;

CREATE TABLE alarm (
    alarm_id      INTEGER NOT NULL PRIMARY KEY,
    kind          TEXT    NOT NULL,
    device_id     BLOB    REFERENCES device,
    seq           INTEGER,
    parcel_id     BLOB,
    raised_at_ms  INTEGER NOT NULL,
    cleared_at_ms INTEGER
) STRICT;

-- A proof whose bytes are held whole and checked. expires_at_ms is set while no entry binds it.
CREATE TABLE blob (
    hash           BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    kind           TEXT    NOT NULL,
    size_bytes     INTEGER NOT NULL,
    received_at_ms INTEGER NOT NULL,
    expires_at_ms  INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX blob_unbound ON blob (expires_at_ms) WHERE expires_at_ms IS NOT NULL;

-- A proof on its way. How much has come is the length of its file.
CREATE TABLE upload (
    device_id     BLOB    NOT NULL REFERENCES device,
    hash          BLOB    NOT NULL CHECK (length(hash) = 32),
    kind          TEXT    NOT NULL,
    length_bytes  INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    PRIMARY KEY (device_id, hash)
) STRICT, WITHOUT ROWID;

-- Projections: derived from entry alone, rebuilt by `satchel-hub rebuild`.
CREATE TABLE entry_state (
    device_id BLOB    NOT NULL,
    seq       INTEGER NOT NULL,
    state     TEXT    NOT NULL,
    PRIMARY KEY (device_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE attempt (
    device_id        BLOB    NOT NULL,
    seq              INTEGER NOT NULL,
    attempt_id       BLOB    NOT NULL,
    parcel_id        BLOB    NOT NULL,
    stop_id          BLOB    NOT NULL,
    attempt_no       INTEGER NOT NULL,
    outcome          TEXT    NOT NULL,
    handoff          TEXT    NOT NULL,
    reason           TEXT,
    action           TEXT,
    signer_name      TEXT,
    relation         TEXT,
    identity_method  TEXT,
    identity_matched INTEGER,
    inspection       TEXT,
    consent_id       TEXT,
    lat              REAL,
    lng              REAL,
    accuracy_m       REAL,
    fix_mock         INTEGER,
    distance_m       REAL,
    note             TEXT,
    rules_version    INTEGER NOT NULL,
    occurred_at_ms   INTEGER NOT NULL,
    utc_offset_min   INTEGER NOT NULL,
    received_at_ms   INTEGER NOT NULL,
    PRIMARY KEY (device_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_by_parcel ON attempt (parcel_id, occurred_at_ms);

CREATE TABLE attempt_proof (
    device_id      BLOB    NOT NULL,
    seq            INTEGER NOT NULL,
    ordinal        INTEGER NOT NULL,
    hash           BLOB    NOT NULL,
    kind           TEXT    NOT NULL,
    size_bytes     INTEGER NOT NULL,
    origin         TEXT,
    captured_at_ms INTEGER NOT NULL,
    -- The signed header names this hash too; a proof the header does not bind proves nothing (B4-1).
    bound          INTEGER NOT NULL,
    PRIMARY KEY (device_id, seq, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_proof_by_hash ON attempt_proof (hash);

CREATE TABLE parcel_state (
    parcel_id      BLOB    NOT NULL PRIMARY KEY,
    outcome        TEXT    NOT NULL,
    device_id      BLOB    NOT NULL,
    seq            INTEGER NOT NULL,
    occurred_at_ms INTEGER NOT NULL,
    attempts       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- First time a customer's phone showed a log head: an outside witness of the courier's log.
CREATE TABLE witness (
    parcel_id        BLOB    NOT NULL REFERENCES parcel,
    device_id        BLOB    NOT NULL REFERENCES device,
    head             BLOB    NOT NULL CHECK (length(head) = 16),
    first_seen_at_ms INTEGER NOT NULL,
    PRIMARY KEY (parcel_id, device_id, head)
) STRICT, WITHOUT ROWID;

CREATE TABLE rating (
    rating_id   INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    -- One rating per delivery, whoever posts first and however often.
    parcel_id   BLOB    NOT NULL UNIQUE REFERENCES parcel,
    device_id   BLOB    NOT NULL REFERENCES device,
    courier_id  BLOB    NOT NULL REFERENCES courier,
    head        BLOB    NOT NULL CHECK (length(head) = 16),
    -- 'present': the QR alone was shown; it is displayed and never paid for.
    class       TEXT    NOT NULL CHECK (class IN ('present')),
    stars       INTEGER NOT NULL CHECK (stars BETWEEN 1 AND 5),
    timeliness  INTEGER CHECK (timeliness BETWEEN 1 AND 5),
    attitude    INTEGER CHECK (attitude BETWEEN 1 AND 5),
    information INTEGER CHECK (information BETWEEN 1 AND 5),
    tags        TEXT    NOT NULL,
    comment     TEXT,
    lang        TEXT    NOT NULL,
    rated_at_ms INTEGER NOT NULL,
    bound_at_ms INTEGER,
    bound_seq   INTEGER
) STRICT;
CREATE INDEX rating_unbound ON rating (device_id, head) WHERE bound_seq IS NULL;

-- Ratings are append-only (B4-21): nobody deletes one or changes what the customer said.
CREATE TRIGGER rating_is_never_deleted BEFORE DELETE ON rating
BEGIN
    SELECT RAISE(ABORT, 'ratings are append-only');
END;
CREATE TRIGGER rating_is_never_changed
BEFORE UPDATE OF rating_id, parcel_id, device_id, courier_id, head, class, stars, timeliness,
    attitude, information, tags, comment, lang, rated_at_ms ON rating
BEGIN
    SELECT RAISE(ABORT, 'ratings are append-only');
END;

-- What each courier's phones are told, in order. Rating keys are put in when a page is served.
CREATE TABLE feed_item (
    courier_id BLOB    NOT NULL REFERENCES courier,
    seq        INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    data       TEXT    NOT NULL,
    PRIMARY KEY (courier_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE nonce (
    device_id     BLOB    NOT NULL,
    nonce         BLOB    NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    PRIMARY KEY (device_id, nonce)
) STRICT, WITHOUT ROWID;
CREATE INDEX nonce_by_expiry ON nonce (expires_at_ms);

CREATE TABLE login_link (
    token_hash    BLOB    NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    expires_at_ms INTEGER NOT NULL,
    used_at_ms    INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE board_session (
    token_hash    BLOB    NOT NULL PRIMARY KEY CHECK (length(token_hash) = 32),
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
