-- Customers' ESMEs: the ids they were answered, parts of messages, and what waits for a bound receiver.

-- :name esme_message_put
INSERT INTO esme_message (message, answered, resource, registered, reference) VALUES (?1, ?2, ?3, ?4, ?5);

-- :name esme_message_drop
DELETE FROM esme_message WHERE message = ?1;

-- :name esme_message_all
SELECT message, answered, resource, registered, reference FROM esme_message ORDER BY message, answered;

-- :name esme_part_put
INSERT INTO esme_part (key, resource, sender, recipient, ref, total, part, body, registered, reference, created_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11);

-- :name esme_part_drop
DELETE FROM esme_part WHERE key = ?1;

-- :name esme_part_all
SELECT key, resource, sender, recipient, ref, total, part, body, registered, reference, created_us FROM esme_part ORDER BY key;

-- :name esme_mail_put
INSERT INTO esme_mail (key, resource, message, receipt, answered, sender, recipient, body, state, error, reference, submitted_us, at_us)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13);

-- :name esme_mail_next
SELECT key, resource, message, receipt, answered, sender, recipient, body, state, error, reference, submitted_us, at_us
FROM esme_mail WHERE resource = ?1 AND key > ?2 ORDER BY key LIMIT ?3;

-- :name esme_mail_drop
DELETE FROM esme_mail WHERE key = ?1;

-- :name esme_mail_note
UPDATE message SET room = zeroblob(max(length(room) - length(CAST(?2 AS BLOB)), 0)), trail = trail || ?2 WHERE key = ?1 AND length(trail) < 16384;

-- :name esme_mail_purge
DELETE FROM esme_mail WHERE key IN (
    SELECT key FROM (SELECT key, at_us FROM esme_mail ORDER BY key LIMIT ?2) AS oldest WHERE at_us < ?1);

-- :name esme_mail_newest
SELECT COALESCE(MAX(key), 0) FROM esme_mail;

-- :name esme_box_put
INSERT INTO esme_box (resource, bound, at_us) VALUES (?1, ?2, ?3)
ON CONFLICT (resource) DO UPDATE SET bound = excluded.bound, at_us = excluded.at_us;

-- :name esme_box_all
SELECT resource, bound, at_us FROM esme_box;

-- :name esme_end_box
DELETE FROM esme_box WHERE resource = ?1;

-- :name esme_end_mail
DELETE FROM esme_mail WHERE resource = ?1;

-- :name esme_end_parts
DELETE FROM esme_part WHERE resource = ?1;

-- :name esme_message_replace
UPDATE message SET body = ?2, segments = ?3, trail = trail || ?4 WHERE key = ?1 AND state IN (0, 2);

-- :name esme_message_register
UPDATE esme_message SET registered = ?2 WHERE message = ?1;
