-- Subscriptions, the events of the last days, and the outbox of deliveries.

-- :name event_subscription_all
SELECT key, resource, name, url, types, cloud, state, filter FROM event_subscription ORDER BY key;

-- :name event_subscription_insert
INSERT INTO event_subscription (key, resource, name, url, types, cloud, state, batch, filter)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 1, ?8);

-- :name event_subscription_state
UPDATE event_subscription SET state = ?2 WHERE key = ?1;

-- :name event_subscription_delete
DELETE FROM event_subscription WHERE key = ?1;

-- :name delivery_delete_of_subscription
DELETE FROM delivery WHERE subscription = ?1;

-- :name event_insert
INSERT INTO event (key, resource, id, type, subject, data, at_us) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- :name event_after
SELECT key, resource, id, type, subject, data, at_us FROM event WHERE key > ?1 ORDER BY key LIMIT 100;

-- :name event_last
SELECT key FROM event ORDER BY key DESC LIMIT 1;

-- Keys and times grow together, so only the oldest rows are looked at.
-- :name event_purge
DELETE FROM event WHERE key IN (
    SELECT key FROM (SELECT key, at_us FROM event ORDER BY key LIMIT ?2) AS oldest WHERE at_us < ?1)
AND key NOT IN (SELECT event FROM delivery);

-- :name delivery_purge
DELETE FROM delivery WHERE (dead = 1 AND next_us < ?1)
OR (subscription <> 0 AND subscription NOT IN (SELECT key FROM event_subscription));

-- :name delivery_insert
INSERT INTO delivery (key, subscription, event, call, url, body, tries, next_us, dead, last)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, 0, '');

-- :name delivery_undelivered
SELECT d.key, d.subscription, d.event, d.call, d.url, d.body, d.tries, d.next_us,
       e.resource, e.id, e.type, e.subject, e.data, e.at_us
FROM delivery d LEFT JOIN event e ON e.key = d.event
WHERE d.dead = 0 ORDER BY d.key;

-- :name delivery_delete
DELETE FROM delivery WHERE key = ?1;

-- :name delivery_failed
UPDATE delivery SET tries = ?2, next_us = ?3, dead = ?4, last = ?5 WHERE key = ?1;
