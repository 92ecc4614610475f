-- Why requests were refused, for explain: bounded in number and time.

-- :name refusal_insert
INSERT INTO refusal (request, resource, at_us, what, status, code, text, rule, suggestion)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- :name refusal_get
SELECT request, resource, at_us, what, status, code, text, rule, suggestion FROM refusal WHERE request = ?1;

-- :name refusal_purge
DELETE FROM refusal WHERE request IN (
    SELECT request FROM (SELECT request, at_us FROM refusal ORDER BY request LIMIT ?2) AS oldest WHERE at_us < ?1);
