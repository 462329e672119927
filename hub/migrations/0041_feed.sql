-- A later item about the same thing makes an earlier one superfluous: a phone that is behind, or new, is sent
-- what holds and not what once held.
ALTER TABLE feed_item ADD COLUMN topic TEXT;
ALTER TABLE feed_item ADD COLUMN superseded INTEGER NOT NULL DEFAULT 0;
CREATE INDEX feed_item_by_topic ON feed_item (courier_id, topic) WHERE topic IS NOT NULL AND NOT superseded;

UPDATE feed_item SET topic = CASE kind
    WHEN 'route' THEN 'route:' || json_extract(data, '$.route_id')
    WHEN 'stop' THEN 'stop:' || json_extract(data, '$.stop_id')
    WHEN 'stop_removed' THEN 'stop:' || json_extract(data, '$.stop_id')
    WHEN 'other_round' THEN 'other_round:' || json_extract(data, '$.route_id')
    WHEN 'regime' THEN 'regime:' || json_extract(data, '$.regime_id')
    WHEN 'rule_set' THEN 'rule_set'
    WHEN 'traffic' THEN 'traffic'
END;
UPDATE feed_item SET superseded = 1 WHERE topic IS NOT NULL AND EXISTS (
    SELECT 1 FROM feed_item later WHERE later.courier_id = feed_item.courier_id
      AND later.topic = feed_item.topic AND later.seq > feed_item.seq);

-- Which history of this hub cursors belong to. A hub that was set back to a backup begins another one, and
-- every phone then reads what holds from the start.
CREATE TABLE feed_epoch (
    id          INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch       INTEGER NOT NULL,
    began_at_ms INTEGER NOT NULL
) STRICT;
INSERT INTO feed_epoch (id, epoch, began_at_ms) VALUES (1, 1, 0);

-- Whose feed changed last, so that a phone that waits for news is told without asking for it again and again.
CREATE TABLE feed_news (
    courier_id BLOB    NOT NULL PRIMARY KEY REFERENCES courier,
    news       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX feed_news_by_time ON feed_news (news);
