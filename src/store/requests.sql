-- Requests of the API, for explain: bounded in number and time.

-- :name request_insert
INSERT INTO request (key, resource, at_us, took_us, operation, status, subject, code, text, rule, suggestion)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (key) DO NOTHING;

-- :name request_get
SELECT key, resource, at_us, took_us, operation, status, subject, code, text, rule, suggestion FROM request WHERE key = ?1;

-- The first ones about a thing.
-- :name request_about
SELECT key, resource, at_us, took_us, operation, status, subject, code, text, rule, suggestion
FROM request WHERE subject = ?1 AND subject <> 0 ORDER BY key LIMIT ?2;

-- The newest ones about a thing.
-- :name request_about_last
SELECT key, resource, at_us, took_us, operation, status, subject, code, text, rule, suggestion
FROM request WHERE subject = ?1 AND subject <> 0 ORDER BY key DESC LIMIT ?2;

-- :name request_purge
DELETE FROM request WHERE key IN (
    SELECT key FROM (SELECT key, at_us FROM request ORDER BY key LIMIT ?2) AS oldest WHERE at_us < ?1);

-- :name request_purge_first
DELETE FROM request WHERE key IN (SELECT key FROM request ORDER BY key LIMIT ?1);

-- Not counted one by one: they come one after the other and the oldest go, so the first and the last place say how many there
-- are, or a few more. (key is no INTEGER PRIMARY KEY: that would be the row's place.)
-- :name request_count
SELECT coalesce((SELECT max(rowid) FROM request) - (SELECT min(rowid) FROM request) + 1, 0);
