-- What is over goes, a slice at a time. Keys and times grow together, so only the oldest rows are looked at; the least of
-- them that may not go yet (a message on its way, a call in progress) are passed over.

-- :name retain_segments
DELETE FROM segment WHERE message IN (
    SELECT key FROM (SELECT key, created_us, state FROM message ORDER BY key LIMIT ?3) AS oldest
    WHERE created_us < ?1 AND state >= 10 ORDER BY key LIMIT ?2);

-- :name retain_messages
DELETE FROM message WHERE key IN (
    SELECT key FROM (SELECT key, created_us, state FROM message ORDER BY key LIMIT ?3) AS oldest
    WHERE created_us < ?1 AND state >= 10 ORDER BY key LIMIT ?2);

-- How far the texts are gone is a row of meta: what lies before is not looked at again.
-- :name retain_bodies_begin
INSERT INTO meta (name, value) VALUES ('bodies_until', '0') ON CONFLICT (name) DO NOTHING;

-- :name retain_bodies
UPDATE message SET body = '' WHERE key IN (
    SELECT key FROM (SELECT key, created_us FROM message
                     WHERE key > (SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'bodies_until') ORDER BY key LIMIT ?2) AS next
    WHERE created_us < ?1);

-- :name retain_bodies_until
UPDATE meta SET value = (
    SELECT COALESCE(MAX(key), (SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'bodies_until'))
    FROM (SELECT key, created_us FROM message
          WHERE key > (SELECT CAST(value AS BIGINT) FROM meta WHERE name = 'bodies_until') ORDER BY key LIMIT ?2) AS next
    WHERE created_us < ?1)
WHERE name = 'bodies_until';

-- :name retain_call_trails
DELETE FROM call_trail WHERE call IN (
    SELECT key FROM (SELECT key, ended_us FROM call ORDER BY key LIMIT ?3) AS oldest
    WHERE ended_us > 0 AND ended_us < ?1 ORDER BY key LIMIT ?2);

-- :name retain_call_repeats
DELETE FROM call_repeat WHERE call IN (
    SELECT key FROM (SELECT key, ended_us FROM call ORDER BY key LIMIT ?3) AS oldest
    WHERE ended_us > 0 AND ended_us < ?1 ORDER BY key LIMIT ?2);

-- :name retain_calls
DELETE FROM call WHERE key IN (
    SELECT key FROM (SELECT key, ended_us FROM call ORDER BY key LIMIT ?3) AS oldest
    WHERE ended_us > 0 AND ended_us < ?1 ORDER BY key LIMIT ?2);

-- :name retain_audit
DELETE FROM number_audit WHERE (digits, key) IN (
    SELECT digits, key FROM (SELECT digits, key, at_us FROM number_audit ORDER BY key LIMIT ?2) AS oldest WHERE at_us < ?1);
