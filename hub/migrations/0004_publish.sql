-- What the operator decided and every phone is told; a courier who comes later is told it then.

CREATE TABLE rule_set (
    version   INTEGER NOT NULL PRIMARY KEY,
    -- The document as it was given; what a phone refused can be looked up by its digest.
    document  TEXT    NOT NULL,
    set_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE regime (
    regime_id TEXT    NOT NULL PRIMARY KEY,
    item      TEXT    NOT NULL,
    until_ms  INTEGER NOT NULL
) STRICT;

CREATE TABLE courier_setting (
    courier_id BLOB NOT NULL PRIMARY KEY REFERENCES courier,
    item       TEXT NOT NULL
) STRICT;

-- How many waybills of another round a courier has been told; a round only grows.
CREATE TABLE other_round_told (
    courier_id BLOB    NOT NULL REFERENCES courier,
    route_id   BLOB    NOT NULL REFERENCES route,
    waybills   INTEGER NOT NULL,
    PRIMARY KEY (courier_id, route_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX route_by_date ON route (service_date);
