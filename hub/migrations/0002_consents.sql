-- Consents to handoffs (Art 28(3), A033), whoever recorded them. recorder is a device, or empty for the
-- hub itself; seq is the place in that recorder's log. Rows of the hub are the only copy; rows of devices
-- are projected from their entries and rebuilt with them.
CREATE TABLE consent (
    recorder   BLOB    NOT NULL,
    seq        INTEGER NOT NULL,
    consent_id TEXT    NOT NULL,
    -- JSON of the record as it is sent; holds the person named, if any.
    record     TEXT    NOT NULL,
    PRIMARY KEY (recorder, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX consent_by_id ON consent (consent_id);

CREATE TABLE consent_parcel (
    parcel_id BLOB    NOT NULL,
    recorder  BLOB    NOT NULL,
    seq       INTEGER NOT NULL,
    PRIMARY KEY (parcel_id, recorder, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE consent_withdrawal (
    recorder        BLOB    NOT NULL,
    seq             INTEGER NOT NULL,
    consent_id      TEXT    NOT NULL,
    withdrawn_at_ms INTEGER NOT NULL,
    stop_id         BLOB,
    PRIMARY KEY (recorder, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX consent_withdrawal_by_id ON consent_withdrawal (consent_id);

-- What earlier imports noted beside the parcel moves here.
INSERT INTO consent (recorder, seq, consent_id, record)
SELECT x'', row_number() OVER (ORDER BY p.parcel_id, c.key), json_extract(c.value, '$.consent_id'), c.value
FROM parcel p, json_each(p.consents) c;
INSERT INTO consent_parcel (parcel_id, recorder, seq)
SELECT p.parcel_id, x'', k.seq
FROM parcel p, json_each(p.consents) c
JOIN consent k ON k.consent_id = json_extract(c.value, '$.consent_id');
