-- A stop whose day is over, where nothing is left to do and of which the hub has everything, is past: it is in no list
-- any more, so that what a screen costs does not grow with the months. `past` is the version at which that happened;
-- with 0 a stop is listed. It stays on the phone and is found by its id and by its round.
ALTER TABLE stop ADD COLUMN past INTEGER NOT NULL DEFAULT 0;
-- With every column that finding its stops needs.
CREATE INDEX stop_listed ON stop (past, route_id, position, removed) WHERE past = 0;
CREATE INDEX stop_past ON stop (past) WHERE past > 0;

-- Whatever changes a past stop brings it back, by whatever way: no statement can forget it.
CREATE TRIGGER stop_is_listed_again AFTER UPDATE OF version ON stop WHEN NEW.past > 0 BEGIN
    UPDATE stop SET past = 0 WHERE stop_id = NEW.stop_id;
END;
-- A parcel's row changes with each attempt: an index that is all but empty answers there, and not the whole row of
-- the stop with its document.
CREATE INDEX stop_past_by_id ON stop (stop_id) WHERE past > 0;
CREATE TRIGGER parcel_lists_its_stop AFTER UPDATE OF version ON parcel WHEN EXISTS (
    SELECT 1 FROM stop INDEXED BY stop_past_by_id WHERE stop_id = NEW.stop_id AND past > 0
) BEGIN
    UPDATE stop SET past = 0 WHERE stop_id = NEW.stop_id;
END;
CREATE TRIGGER parcel_lists_the_stop_it_left AFTER UPDATE OF stop_id ON parcel WHEN NEW.stop_id <> OLD.stop_id AND EXISTS (
    SELECT 1 FROM stop INDEXED BY stop_past_by_id WHERE stop_id = OLD.stop_id AND past > 0
) BEGIN
    UPDATE stop SET past = 0 WHERE stop_id = OLD.stop_id;
END;
CREATE TRIGGER new_parcel_lists_its_stop AFTER INSERT ON parcel WHEN EXISTS (
    SELECT 1 FROM stop INDEXED BY stop_past_by_id WHERE stop_id = NEW.stop_id AND past > 0
) BEGIN
    UPDATE stop SET past = 0 WHERE stop_id = NEW.stop_id;
END;

-- What is asked of all parcels, however old: those whose promise runs on at the depot, and those that were collected.
-- A visit at a door touches neither.
CREATE INDEX parcel_at_depot ON parcel (stop_id) WHERE state = 'AT_DEPOT';
CREATE INDEX parcel_pickup ON parcel (stop_id) WHERE pickup IS NOT NULL;

-- A standing consent is found by its parcels and not by comparing all recipients of all months.
CREATE INDEX consent_parcel_by_consent ON consent_parcel (consent_id);

-- Drafts that were given up are looked for at each opening: of corrections, consents and reports too.
DROP INDEX attempt_open;
CREATE INDEX attempt_open ON attempt (stop_id, opened_at_ms, kind) WHERE completed_at_ms IS NULL;

-- The numbers of others' rounds have their day now; those without are sent anew with the next import.
DELETE FROM told WHERE what = 'other_round';
