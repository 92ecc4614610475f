-- Routes of text messages: which carrier takes which.

-- :name sms_route_all
SELECT key, name, prefix, sender, pool, carrier, weight, priority, cost_micro FROM sms_route ORDER BY key;

-- :name sms_route_insert
INSERT INTO sms_route (key, name, prefix, sender, pool, carrier, weight, priority, cost_micro)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- :name sms_route_update
UPDATE sms_route SET prefix = ?2, sender = ?3, pool = ?4, carrier = ?5, weight = ?6, priority = ?7, cost_micro = ?8 WHERE name = ?1;

-- :name sms_route_delete
DELETE FROM sms_route WHERE name = ?1;
