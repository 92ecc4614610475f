-- Messages, one row each, and the segments a carrier has taken. `trail` grows by a line a step: "<us> <step> <words>".

-- :name message_insert
INSERT INTO message (key, resource, inbound, sender, recipient, body, tag, report, repeat_id, state, segments, carrier,
                     created_us, updated_us, trail, room)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?13, ?14, CASE WHEN ?10 < 10 THEN zeroblob(448) ELSE x'' END);

-- A trail that has grown beyond all sense only hears of its end. What the row grows by is taken from its room, as long as there is
-- some: a row that outgrows its page costs as much as three that do not.
-- :name message_step
UPDATE message SET state = ?2, carrier = ?3, updated_us = ?4,
    room = zeroblob(max(length(room) - length(CAST(?5 AS BLOB)) - length(?3) + length(carrier) - 2, 0)),
    trail = CASE WHEN length(trail) < 16384 OR ?2 >= 10 THEN trail || ?5 ELSE trail END WHERE key = ?1;

-- :name message_send_at
UPDATE message SET send_at_us = ?2 WHERE key = ?1;

-- :name message_valid_until
UPDATE message SET valid_until_us = ?2 WHERE key = ?1;

-- :name segment_insert
INSERT INTO segment (message, segment, carrier, remote_id, receipt) VALUES (?1, ?2, ?3, ?4, -1)
ON CONFLICT (message, segment) DO UPDATE SET carrier = excluded.carrier, remote_id = excluded.remote_id, receipt = -1;

-- :name segment_forget
DELETE FROM segment WHERE message = ?1;

-- :name segment_receipt
UPDATE segment SET receipt = ?3 WHERE message = ?1 AND segment = ?2;

-- :name stray_receipt_put
INSERT INTO stray_receipt (carrier, remote_id, state, status, at_us) VALUES (?1, ?2, ?3, ?4, ?5)
ON CONFLICT (carrier, remote_id) DO UPDATE SET state = excluded.state, status = excluded.status, at_us = excluded.at_us;

-- :name stray_receipt_take
DELETE FROM stray_receipt WHERE carrier = ?1 AND remote_id = ?2;

-- :name stray_receipt_all
SELECT carrier, remote_id, state, status, at_us FROM stray_receipt ORDER BY at_us;

-- :name stray_receipt_purge
DELETE FROM stray_receipt WHERE at_us < ?1;

-- :name inbound_part_put
INSERT INTO inbound_part (carrier, sender, recipient, ref, total, part, body, at_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
ON CONFLICT (carrier, sender, recipient, ref, total, part) DO UPDATE SET body = excluded.body, at_us = excluded.at_us;

-- :name inbound_part_drop
DELETE FROM inbound_part WHERE carrier = ?1 AND sender = ?2 AND recipient = ?3 AND ref = ?4 AND total = ?5;

-- :name inbound_part_all
SELECT carrier, sender, recipient, ref, total, part, body, at_us FROM inbound_part ORDER BY at_us;

-- :name inbound_part_purge
DELETE FROM inbound_part WHERE at_us < ?1;

-- :name message_nothing
SELECT 1;

-- :name message_unfinished
SELECT key, resource, sender, recipient, body, tag, report, state, segments, carrier, created_us, updated_us, send_at_us, valid_until_us
FROM message WHERE state < 10 AND inbound = 0 ORDER BY key;

-- :name segment_unfinished
SELECT s.message, s.segment, s.carrier, s.remote_id, s.receipt
FROM segment s JOIN message m ON m.key = s.message WHERE m.state < 10 ORDER BY s.message, s.segment;

-- :name segment_without_receipt
SELECT message, segment, carrier, remote_id, receipt FROM segment WHERE message = ?1 AND receipt < 0 ORDER BY segment;

-- :name message_repeats
SELECT key, resource, repeat_id, sender, recipient, body, tag, report, created_us FROM message WHERE key >= ?1 AND created_us >= ?2 AND repeat_id <> '' ORDER BY key;

-- What was sent lately, the oldest first.
-- :name message_sent
SELECT key, sender, created_us FROM message WHERE key >= ?1 AND created_us > ?2 AND inbound = 0 ORDER BY key;

-- :name message_get
SELECT key, resource, inbound, sender, recipient, body, tag, report, state, segments, carrier, created_us, updated_us, trail, send_at_us, 1, 0
FROM message WHERE key = ?1;

-- Newest first, at most ?11. However few match, no more than 50000 rows are looked at: then the last of them comes in any case, for
-- the next page to begin at.
-- :name message_list
SELECT key, resource, inbound, sender, recipient, body, tag, report, state, segments, carrier, created_us, updated_us, trail, send_at_us,
    (?2 = 0 OR resource = ?2) AND (?3 = '' OR sender = ?3) AND (?4 = '' OR recipient = ?4) AND (?5 = '' OR tag = ?5)
        AND (?6 < 0 OR inbound = ?6) AND state >= ?7 AND state <= ?8 AND created_us >= ?9 AND created_us < ?10,
    key = (SELECT key FROM message WHERE key < ?1 ORDER BY key DESC LIMIT 1 OFFSET 50000) IS TRUE
FROM message
WHERE key < ?1 AND key >= coalesce((SELECT key FROM message WHERE key < ?1 ORDER BY key DESC LIMIT 1 OFFSET 50000), 0)
    AND ((?2 = 0 OR resource = ?2) AND (?3 = '' OR sender = ?3) AND (?4 = '' OR recipient = ?4) AND (?5 = '' OR tag = ?5)
             AND (?6 < 0 OR inbound = ?6) AND state >= ?7 AND state <= ?8 AND created_us >= ?9 AND created_us < ?10
         OR key = (SELECT key FROM message WHERE key < ?1 ORDER BY key DESC LIMIT 1 OFFSET 50000))
ORDER BY key DESC LIMIT ?11;

-- :name optout_all
SELECT sender, recipient, source FROM optout;

-- :name optout_add
INSERT INTO optout (sender, recipient, at_us, source, about) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (sender, recipient) DO NOTHING;

-- :name optout_remove
DELETE FROM optout WHERE sender = ?1 AND recipient = ?2;

-- :name optout_list
SELECT recipient, at_us, source, about FROM optout WHERE sender = ?1 AND recipient > ?2 ORDER BY recipient LIMIT ?3;

-- :name optout_drop
DELETE FROM optout WHERE sender = ?1;
