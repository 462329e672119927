-- How far a round of an earlier day has left the feed: 1, its numbers are told to no phone of others any more; 2, nor
-- are its stops to a new phone of its own courier.
ALTER TABLE route ADD COLUMN feed_ended INTEGER NOT NULL DEFAULT 0;
CREATE INDEX route_in_feed ON route (service_date) WHERE feed_ended < 2;

-- Who was told of a round: asked when its numbers end, and when a day grows.
CREATE INDEX other_round_told_by_route ON other_round_told (route_id);
