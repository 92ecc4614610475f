-- Subscriptions, the events of the last days, the outbox of deliveries and the log of their tries.

-- :name event_subscription_all
SELECT key, resource, name, url, types, cloud, state, filter, batch, secrets FROM event_subscription ORDER BY key;

-- :name event_subscription_insert
INSERT INTO event_subscription (key, resource, name, url, types, cloud, state, filter, batch, secrets)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10);

-- :name event_subscription_change
UPDATE event_subscription SET name = ?2, types = ?3, filter = ?4, batch = ?5, secrets = ?6 WHERE key = ?1;

-- :name event_subscription_state
UPDATE event_subscription SET state = ?2 WHERE key = ?1;

-- :name event_subscription_delete
DELETE FROM event_subscription WHERE key = ?1;

-- :name delivery_delete_of_subscription
DELETE FROM delivery WHERE key IN (SELECT key FROM delivery WHERE subscription = ?1 ORDER BY key LIMIT ?2);

-- :name event_insert
INSERT INTO event (key, resource, id, type, subject, data, at_us, about) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- :name event_after
SELECT key, resource, id, type, subject, data, at_us FROM event WHERE key > ?1 ORDER BY key LIMIT 100;

-- :name event_last
SELECT key FROM event ORDER BY key DESC LIMIT 1;

-- The newest of that id, which says ?3; 0: nothing. ?2 = 0: of every resource.
-- :name event_by_id
SELECT key, resource, id, type, subject, data, at_us FROM (
    SELECT key, resource, id, type, subject, data, at_us FROM event WHERE about > 0 AND about = ?3
    UNION ALL
    SELECT key, resource, id, type, subject, data, at_us FROM event WHERE about = 0 AND id = ?1) AS same
WHERE id = ?1 AND (?2 = 0 OR resource = ?2) ORDER BY key DESC LIMIT 1;

-- By time, behind a row, before ?3; with the delivery to subscription ?4 that is not ended yet, and why it is dead.
-- :name event_between
SELECT e.key, e.resource, e.id, e.type, e.subject, e.data, e.at_us, d.key, d.dead
FROM event e LEFT JOIN delivery d ON d.event = e.key AND d.subscription = ?4
WHERE (e.at_us, e.key) > (?1, ?2) AND e.at_us < ?3 ORDER BY e.at_us, e.key LIMIT ?5;

-- Keys and times grow together, so only the oldest rows are looked at.
-- :name event_purge
DELETE FROM event WHERE key IN (
    SELECT key FROM (SELECT key, at_us FROM event ORDER BY key LIMIT ?2) AS oldest WHERE at_us < ?1)
AND NOT EXISTS (SELECT 1 FROM delivery WHERE delivery.event = event.key);

-- Dead letters die within a day of their key, so the oldest keys are the first to go.
-- :name delivery_purge
DELETE FROM delivery WHERE key IN (
    SELECT key FROM (SELECT key, next_us FROM delivery WHERE dead > 0 ORDER BY key LIMIT ?2) AS oldest WHERE next_us < ?1);

-- Of subscriptions that have ended: each subscription with deliveries is looked at once, by the index.
-- :name delivery_sweep
WITH RECURSIVE of_some (subscription) AS (
    SELECT MIN(subscription) FROM delivery WHERE subscription > 0
    UNION ALL
    SELECT (SELECT MIN(d.subscription) FROM delivery d WHERE d.subscription > of_some.subscription)
    FROM of_some WHERE of_some.subscription IS NOT NULL)
DELETE FROM delivery WHERE key IN (
    SELECT d.key FROM delivery d WHERE d.subscription IN (
        SELECT s.subscription FROM of_some s
        WHERE s.subscription IS NOT NULL AND s.subscription NOT IN (SELECT key FROM event_subscription))
    LIMIT ?1);

-- :name delivery_insert
INSERT INTO delivery (key, subscription, resource, event, call, url, body, lane, since_us, tries, next_us, dead, alone, last)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, 0, 0, '');

-- What stands in a line: tried less than twice; callbacks always.
-- :name delivery_in_line
SELECT key, subscription, lane, tries, next_us, alone FROM delivery
WHERE dead = 0 AND (tries < 2 OR subscription = 0) ORDER BY key;

-- By a JSON list of keys, in its order.
-- :name delivery_by_keys
SELECT d.key, d.subscription, d.event, d.call, d.url, d.body, d.tries, d.next_us, d.since_us, d.alone,
       d.resource, e.id, e.type, e.subject, e.data, e.at_us
FROM json_each(?1) AS wanted CROSS JOIN delivery d LEFT JOIN event e ON e.key = d.event
WHERE d.key = wanted.value ORDER BY wanted.key;

-- Out of line, by when they are due, behind a row.
-- :name delivery_due_after
SELECT d.key, d.subscription, d.event, d.call, d.url, d.body, d.tries, d.next_us, d.since_us, d.alone,
       d.resource, e.id, e.type, e.subject, e.data, e.at_us
FROM delivery d LEFT JOIN event e ON e.key = d.event
WHERE d.subscription = ?1 AND d.dead = 0 AND d.tries >= 2 AND (d.next_us, d.key) > (?2, ?3)
ORDER BY d.next_us, d.key LIMIT ?4;

-- When the first one out of line is due.
-- :name delivery_due_first
SELECT next_us FROM delivery WHERE subscription = ?1 AND dead = 0 AND tries >= 2 ORDER BY next_us, key LIMIT 1;

-- :name delivery_delete
DELETE FROM delivery WHERE key = ?1;

-- :name delivery_failed
UPDATE delivery SET tries = ?2, next_us = ?3, dead = ?4, alone = ?5, last = ?6 WHERE key = ?1;

-- As if it had never been tried.
-- :name delivery_revive
UPDATE delivery SET tries = 0, next_us = 0, dead = 0, alone = 0, last = '', since_us = ?2 WHERE key = ?1 AND dead > 0;

-- The dead letters, newest first, before a key.
-- :name delivery_dead_before
SELECT d.key, d.subscription, d.event, d.call, d.url, d.tries, d.next_us, d.dead, d.last, d.since_us, d.lane, d.resource,
       e.id, e.type, e.subject
FROM delivery d LEFT JOIN event e ON e.key = d.event WHERE d.dead > 0 AND d.key < ?1 ORDER BY d.key DESC LIMIT ?2;

-- :name delivery_dead_of_resource_before
SELECT d.key, d.subscription, d.event, d.call, d.url, d.tries, d.next_us, d.dead, d.last, d.since_us, d.lane, d.resource,
       e.id, e.type, e.subject
FROM delivery d LEFT JOIN event e ON e.key = d.event
WHERE d.dead > 0 AND d.resource = ?3 AND d.key < ?1 ORDER BY d.key DESC LIMIT ?2;

-- :name delivery_dead_of_subscription_before
SELECT d.key, d.subscription, d.event, d.call, d.url, d.tries, d.next_us, d.dead, d.last, d.since_us, d.lane, d.resource,
       e.id, e.type, e.subject
FROM delivery d LEFT JOIN event e ON e.key = d.event
WHERE d.dead > 0 AND d.subscription = ?3 AND d.key < ?1 ORDER BY d.key DESC LIMIT ?2;

-- For a replay: in the order in which they were written.
-- :name delivery_dead_of_subscription_after
SELECT d.key, d.subscription, d.event, d.call, d.url, d.tries, d.next_us, d.dead, d.last, d.since_us, d.lane, d.resource,
       e.id, e.type, e.subject
FROM delivery d LEFT JOIN event e ON e.key = d.event
WHERE d.dead > 0 AND d.subscription = ?3 AND d.key > ?1 ORDER BY d.key LIMIT ?2;

-- One, on its way or dead.
-- :name delivery_of_key
SELECT d.key, d.subscription, d.event, d.call, d.url, d.tries, d.next_us, d.dead, d.last, d.since_us, d.lane, d.resource,
       '', '', ''
FROM delivery d WHERE d.key = ?1;

-- What is on its way or dead of one event.
-- :name delivery_of_event
SELECT d.key, d.subscription, d.event, d.call, d.url, d.tries, d.next_us, d.dead, d.last, d.since_us, d.lane, d.resource,
       '', '', ''
FROM delivery d WHERE d.event = ?1 ORDER BY d.key LIMIT ?2;

-- :name delivery_try_insert
INSERT INTO delivery_try (key, cause, delivery, subscription, try, events, at_us, took_us, status, words)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10);

-- The newest tries of an event, or of the callbacks of a call, oldest of them first.
-- :name delivery_try_of
SELECT key, cause, delivery, subscription, try, events, at_us, took_us, status, words
FROM (SELECT * FROM delivery_try WHERE cause = ?1 ORDER BY key DESC LIMIT ?2) AS newest ORDER BY key;

-- Both of one event at one moment (a try that ends a delivery is written with its going): what is on its way or dead, then
-- the newest tries, oldest first.
-- :name delivery_story
SELECT d.key, d.subscription, d.event, d.call, d.url, d.tries, d.next_us, d.dead, d.last, d.since_us, d.lane, d.resource,
       '', '', '', 0 AS tried
FROM (SELECT * FROM delivery WHERE event = ?1 ORDER BY key LIMIT ?2) AS d
UNION ALL
SELECT t.key, t.subscription, t.cause, t.delivery, '', t.try, t.at_us, t.status, t.words, t.took_us, t.events, 0, '', '', '', 1
FROM (SELECT * FROM delivery_try WHERE cause = ?1 ORDER BY key DESC LIMIT ?3) AS t
ORDER BY tried, 1;

-- :name delivery_try_trim
DELETE FROM delivery_try WHERE cause = ?1 AND key NOT IN (
    SELECT key FROM delivery_try WHERE cause = ?1 ORDER BY key DESC LIMIT ?2);

-- :name delivery_try_purge
DELETE FROM delivery_try WHERE key IN (
    SELECT key FROM (SELECT key, at_us FROM delivery_try ORDER BY key LIMIT ?2) AS oldest WHERE at_us < ?1);
