-- Everything a courier records beside an attempt, and what happened to each parcel wherever it happened.
-- Projections of entries unless said otherwise; `satchel-hub rebuild` derives them again.

-- What the hub itself did to a parcel: the only copy.
CREATE TABLE hub_event (
    seq       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    parcel_id BLOB    NOT NULL REFERENCES parcel,
    at_ms     INTEGER NOT NULL,
    -- JSON of the event's kind.
    event     TEXT    NOT NULL,
    words     TEXT
) STRICT;

-- Events of all recorders; recorder is a device, or empty for the hub.
CREATE TABLE parcel_event (
    parcel_id BLOB    NOT NULL,
    recorder  BLOB    NOT NULL,
    seq       INTEGER NOT NULL,
    at_ms     INTEGER NOT NULL,
    event     TEXT    NOT NULL,
    PRIMARY KEY (parcel_id, recorder, seq)
) STRICT, WITHOUT ROWID;

-- The fold of a parcel's events; the same for every order in which they arrived (B4-16).
CREATE TABLE parcel_fold (
    parcel_id BLOB    NOT NULL PRIMARY KEY,
    state     TEXT    NOT NULL,
    attempts  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Which courier's feed has which event. Not a projection: a rebuild tells nobody anything twice.
CREATE TABLE parcel_event_told (
    courier_id BLOB    NOT NULL REFERENCES courier,
    parcel_id  BLOB    NOT NULL,
    recorder   BLOB    NOT NULL,
    seq        INTEGER NOT NULL,
    PRIMARY KEY (courier_id, parcel_id, recorder, seq)
) STRICT, WITHOUT ROWID;

ALTER TABLE parcel ADD COLUMN tier TEXT;
ALTER TABLE parcel ADD COLUMN min_age_years INTEGER;
ALTER TABLE parcel ADD COLUMN customer_window_end_ms INTEGER;
-- JSON of the parts of the feed's parcel of the same name.
ALTER TABLE parcel ADD COLUMN temperature TEXT;
ALTER TABLE parcel ADD COLUMN code TEXT;
ALTER TABLE parcel ADD COLUMN pickup TEXT;
-- A short code is kept as a digest under the hub's key: this file alone opens no parcel.
ALTER TABLE parcel ADD COLUMN code_digest BLOB;

-- Lists are JSON.
ALTER TABLE attempt ADD COLUMN skips TEXT;
ALTER TABLE attempt ADD COLUMN items TEXT;
ALTER TABLE attempt ADD COLUMN left_at TEXT;
ALTER TABLE attempt ADD COLUMN age_checked INTEGER;
ALTER TABLE attempt ADD COLUMN visibly_damaged INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN scanned INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempt ADD COLUMN code TEXT;
ALTER TABLE attempt ADD COLUMN min_centi_c INTEGER;
ALTER TABLE attempt ADD COLUMN max_centi_c INTEGER;
ALTER TABLE attempt ADD COLUMN warnings TEXT;
ALTER TABLE attempt ADD COLUMN fix_datum TEXT;
ALTER TABLE attempt ADD COLUMN fix_raw_lat REAL;
ALTER TABLE attempt ADD COLUMN fix_raw_lng REAL;
ALTER TABLE attempt ADD COLUMN fix_zone TEXT;

CREATE TABLE correction (
    device_id      BLOB    NOT NULL,
    seq            INTEGER NOT NULL,
    parcel_id      BLOB    NOT NULL,
    stop_id        BLOB    NOT NULL,
    of_recorder    BLOB    NOT NULL,
    of_seq         INTEGER NOT NULL,
    correction     TEXT    NOT NULL,
    words          TEXT,
    occurred_at_ms INTEGER NOT NULL,
    PRIMARY KEY (device_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX correction_by_parcel ON correction (parcel_id);

CREATE TABLE call_attempt (
    device_id      BLOB    NOT NULL,
    seq            INTEGER NOT NULL,
    stop_id        BLOB    NOT NULL,
    number         TEXT    NOT NULL,
    virtual_number INTEGER NOT NULL,
    result         TEXT    NOT NULL,
    duration_s     INTEGER NOT NULL,
    call_id        TEXT,
    occurred_at_ms INTEGER NOT NULL,
    PRIMARY KEY (device_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX call_attempt_by_stop ON call_attempt (stop_id);

CREATE TABLE report (
    device_id      BLOB    NOT NULL,
    seq            INTEGER NOT NULL,
    report_id      TEXT    NOT NULL,
    stop_id        BLOB,
    reason         TEXT    NOT NULL,
    words          TEXT,
    owes_photo     INTEGER NOT NULL,
    -- One hour after it happened, whenever it arrived (A044).
    answer_due_ms  INTEGER NOT NULL,
    occurred_at_ms INTEGER NOT NULL,
    received_at_ms INTEGER NOT NULL,
    PRIMARY KEY (device_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX report_by_id ON report (report_id);

CREATE TABLE report_parcel (
    parcel_id BLOB    NOT NULL,
    device_id BLOB    NOT NULL,
    seq       INTEGER NOT NULL,
    PRIMARY KEY (parcel_id, device_id, seq)
) STRICT, WITHOUT ROWID;

-- The hub's answers: the only copy.
CREATE TABLE report_answer (
    device_id      BLOB    NOT NULL,
    report_id      TEXT    NOT NULL,
    action         TEXT,
    words          TEXT,
    answered_at_ms INTEGER NOT NULL,
    PRIMARY KEY (device_id, report_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE load_scan (
    device_id      BLOB    NOT NULL,
    seq            INTEGER NOT NULL,
    route_id       BLOB    NOT NULL,
    scanned_text   TEXT    NOT NULL,
    result         TEXT    NOT NULL,
    parcel_id      BLOB,
    taken_off      INTEGER NOT NULL,
    occurred_at_ms INTEGER NOT NULL,
    PRIMARY KEY (device_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX load_scan_by_route ON load_scan (route_id);

CREATE TABLE pickup (
    device_id            BLOB    NOT NULL,
    seq                  INTEGER NOT NULL,
    parcel_id            BLOB    NOT NULL,
    stop_id              BLOB    NOT NULL,
    sender_checked       INTEGER,
    contents             TEXT,
    time_need            TEXT,
    wishes               TEXT,
    tags                 TEXT    NOT NULL,
    packaging_taken_back INTEGER NOT NULL,
    refused              TEXT,
    arrived_at_ms        INTEGER NOT NULL,
    occurred_at_ms       INTEGER NOT NULL,
    PRIMARY KEY (device_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX pickup_by_parcel ON pickup (parcel_id);

CREATE TABLE temperature (
    device_id BLOB    NOT NULL,
    seq       INTEGER NOT NULL,
    ordinal   INTEGER NOT NULL,
    parcel_id BLOB    NOT NULL,
    at_ms     INTEGER NOT NULL,
    centi_c   INTEGER NOT NULL,
    PRIMARY KEY (device_id, seq, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX temperature_by_parcel ON temperature (parcel_id, at_ms);

CREATE TABLE code_entry (
    device_id      BLOB    NOT NULL,
    seq            INTEGER NOT NULL,
    parcel_id      BLOB    NOT NULL,
    stop_id        BLOB    NOT NULL,
    -- The phone's word, or the hub's where the digits came sealed; none: there was no code to compare.
    matched        INTEGER,
    judged_by_hub  INTEGER NOT NULL,
    occurred_at_ms INTEGER NOT NULL,
    PRIMARY KEY (device_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX code_entry_by_parcel ON code_entry (parcel_id);

CREATE TABLE duty (
    device_id        BLOB    NOT NULL,
    seq              INTEGER NOT NULL,
    on_duty          INTEGER NOT NULL,
    clock_moved_back INTEGER NOT NULL,
    lat              REAL,
    lng              REAL,
    occurred_at_ms   INTEGER NOT NULL,
    PRIMARY KEY (device_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE reminder (
    device_id      BLOB    NOT NULL,
    seq            INTEGER NOT NULL,
    stop_id        BLOB    NOT NULL,
    parcel_id      BLOB    NOT NULL,
    attempt_no     INTEGER NOT NULL,
    eta_ms         INTEGER NOT NULL,
    occurred_at_ms INTEGER NOT NULL,
    PRIMARY KEY (device_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX reminder_by_parcel ON reminder (parcel_id);

CREATE TABLE ruleset_refused (
    device_id       BLOB    NOT NULL,
    seq             INTEGER NOT NULL,
    current_version INTEGER NOT NULL,
    offered_version INTEGER,
    document        BLOB    NOT NULL,
    why             TEXT    NOT NULL,
    occurred_at_ms  INTEGER NOT NULL,
    PRIMARY KEY (device_id, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE parcel_step (
    device_id      BLOB    NOT NULL,
    seq            INTEGER NOT NULL,
    parcel_id      BLOB    NOT NULL,
    stop_id        BLOB    NOT NULL,
    event          TEXT    NOT NULL,
    window_from_ms INTEGER,
    window_until_ms INTEGER,
    words          TEXT,
    occurred_at_ms INTEGER NOT NULL,
    PRIMARY KEY (device_id, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX parcel_step_by_parcel ON parcel_step (parcel_id);
CREATE INDEX alarm_by_parcel ON alarm (parcel_id) WHERE parcel_id IS NOT NULL;
