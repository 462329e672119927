-- The phone's store. Times are Unix milliseconds; ids are 16-byte UUIDs; hashes are 32 bytes.
CREATE TABLE phone (
    id                INTEGER PRIMARY KEY CHECK (id = 1),
    enrolment         TEXT NOT NULL DEFAULT 'none'
                      CHECK (enrolment IN ('none', 'pending', 'enrolled', 'refused')),
    device_id         BLOB,
    log_key           BLOB,
    label             TEXT,
    hub_url           TEXT,
    hub_key           BLOB,
    invite_code       BLOB,
    courier_id        BLOB,
    courier_name      TEXT,
    certificate       BLOB,
    feed_cursor       TEXT,
    hub_offset_ms     INTEGER NOT NULL DEFAULT 0,
    last_contact_ms   INTEGER,
    -- Every entry up to here has its receipt; the outbox is what follows.
    received_upto     INTEGER NOT NULL DEFAULT 0,
    receipt_alarms    INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO phone (id) VALUES (1);

CREATE TABLE route (
    route_id     BLOB PRIMARY KEY,
    name         TEXT NOT NULL,
    service_date TEXT NOT NULL,
    depot_lat    REAL,
    depot_lng    REAL,
    raw          TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE stop (
    stop_id          BLOB PRIMARY KEY,
    route_id         BLOB NOT NULL,
    position         INTEGER NOT NULL,
    lat              REAL NOT NULL,
    lng              REAL NOT NULL,
    address          TEXT NOT NULL,
    recipient_name   TEXT NOT NULL,
    recipient_phone  TEXT NOT NULL,
    window_start_ms  INTEGER,
    window_end_ms    INTEGER,
    removed          INTEGER NOT NULL DEFAULT 0,
    planned          INTEGER,
    version          INTEGER NOT NULL,
    raw              TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX stop_by_route ON stop (route_id, position);

CREATE TABLE parcel (
    parcel_id       BLOB PRIMARY KEY,
    stop_id         BLOB NOT NULL REFERENCES stop (stop_id),
    waybill         TEXT NOT NULL,
    handle          BLOB NOT NULL,
    rating_key      BLOB NOT NULL,
    promise_class   TEXT NOT NULL,
    promised_by_ms  INTEGER NOT NULL,
    accepted_at_ms  INTEGER NOT NULL,
    tags            TEXT NOT NULL,
    door_required   INTEGER NOT NULL,
    tier            TEXT,
    min_age_years   INTEGER,
    customer_window_end_ms INTEGER,
    -- JSON as the feed sent it.
    temperature     TEXT,
    code            TEXT,
    pickup          TEXT,
    -- What follows from `history`, kept beside it so that a list costs no folding.
    state           TEXT NOT NULL,
    outcome         TEXT,
    attempts        INTEGER NOT NULL DEFAULT 0,
    last_seq        INTEGER,
    version         INTEGER NOT NULL DEFAULT 0,
    -- Every event that is known about the parcel (CBOR), from this phone and from elsewhere.
    history         BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX parcel_by_stop ON parcel (stop_id);

-- Consents as the protocol's record (CBOR). A withdrawal may come before its consent; it then waits here
-- without a record. `source` says who may replace the row: a parcel's item, the feed, or nobody but this
-- phone's log.
CREATE TABLE consent (
    consent_id       TEXT PRIMARY KEY,
    source           TEXT NOT NULL CHECK (source IN ('parcel', 'feed', 'phone')),
    standing         INTEGER NOT NULL DEFAULT 0,
    withdrawn_at_ms  INTEGER,
    record           BLOB
) STRICT, WITHOUT ROWID;

-- A consent can come before the parcel it is for, so the parcel is not referenced.
CREATE TABLE consent_parcel (
    parcel_id   BLOB NOT NULL,
    consent_id  TEXT NOT NULL REFERENCES consent (consent_id),
    source      TEXT NOT NULL,
    PRIMARY KEY (parcel_id, consent_id)
) STRICT, WITHOUT ROWID;

-- The hub's rule set in force, and the last document that was refused, so that it is reported once.
CREATE TABLE rule_set (
    id        INTEGER PRIMARY KEY CHECK (id = 1),
    document  TEXT,
    refused   BLOB
) STRICT;
INSERT INTO rule_set (id) VALUES (1);

CREATE TABLE attempt (
    attempt_id       BLOB PRIMARY KEY,
    stop_id          BLOB NOT NULL REFERENCES stop (stop_id),
    handoff          TEXT NOT NULL,
    data_key         BLOB NOT NULL,
    opened_at_ms     INTEGER NOT NULL,
    completed_at_ms  INTEGER,
    -- A correction and a consent hold their proofs like a visit, and are none.
    kind             TEXT NOT NULL DEFAULT 'visit'
                     CHECK (kind IN ('visit', 'correction', 'consent', 'report'))
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_open ON attempt (stop_id, opened_at_ms)
    WHERE completed_at_ms IS NULL AND kind = 'visit';

-- A photo is staged with its attempt and bound when the attempt completes; a signature is bound at once
-- and small enough to live here. The row is also the upload queue. Every index costs each attempt a
-- page of flash, so there is none that a rare question could do without.
CREATE TABLE proof (
    id              INTEGER PRIMARY KEY,
    attempt_id      BLOB NOT NULL REFERENCES attempt (attempt_id),
    hash            BLOB NOT NULL,
    kind            TEXT NOT NULL,
    size_bytes      INTEGER NOT NULL,
    origin          TEXT,
    captured_at_ms  INTEGER NOT NULL,
    bound_seq       INTEGER,
    started         INTEGER NOT NULL DEFAULT 0,
    received_at_ms  INTEGER,
    in_folder       INTEGER NOT NULL,
    -- Last: what comes before it is read without it.
    inline_bytes    BLOB
) STRICT;
CREATE UNIQUE INDEX proof_photo ON proof (attempt_id, hash) WHERE in_folder;
CREATE INDEX proof_unsent ON proof (bound_seq, hash)
    WHERE bound_seq IS NOT NULL AND received_at_ms IS NULL;

-- The evidence log, which is also the outbox: what has no received_at_ms is still to be sent. It is
-- looked for behind phone.received_upto, so no index is needed.
CREATE TABLE entry (
    seq             INTEGER PRIMARY KEY,
    hash            BLOB NOT NULL,
    kind            INTEGER NOT NULL,
    header          BLOB NOT NULL,
    sig             BLOB NOT NULL,
    salt            BLOB,
    body            BLOB,
    stop_id         BLOB,
    occurred_at_ms  INTEGER NOT NULL,
    received_at_ms  INTEGER
) STRICT;

CREATE TABLE rating (
    parcel_id    BLOB NOT NULL,
    rated_at_ms  INTEGER NOT NULL,
    stars        INTEGER NOT NULL,
    raw          TEXT NOT NULL,
    PRIMARY KEY (parcel_id, rated_at_ms)
) STRICT, WITHOUT ROWID;

-- Feed items this build does not understand, kept for a later one.
CREATE TABLE feed_kept (
    seq   INTEGER PRIMARY KEY,
    kind  TEXT NOT NULL,
    data  TEXT NOT NULL
) STRICT;
