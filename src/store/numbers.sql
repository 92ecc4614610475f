-- Numbers that are leased or have been, searches with what they hold, and operations of the last day.
-- number.state: 2 leased, 3 released, 4 quarantine. search.state: 0 held, 1 bought, 2 expired, 3 canceled.

-- :name number_all
SELECT digits, state, search, resource, type, assignment, calling, sms, country, carrier, simulated, purchased_us, until_us
FROM number ORDER BY digits;

-- A row that is in the way may be taken over when its time is over (or when it only sits in quarantine).
-- :name number_lease
INSERT INTO number (digits, state, search, resource, type, assignment, calling, sms, country, carrier, simulated,
                    purchased_us, until_us)
VALUES (?1, 2, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 0)
ON CONFLICT (digits) DO UPDATE SET
    state = 2, search = excluded.search, resource = excluded.resource, type = excluded.type,
    assignment = excluded.assignment, calling = excluded.calling, sms = excluded.sms, country = excluded.country,
    carrier = excluded.carrier, simulated = excluded.simulated, purchased_us = excluded.purchased_us, until_us = 0
WHERE (number.state = 3 AND number.until_us <= ?11) OR number.state = 4;

-- Held again before its quarantine was over, the beginning of which may not have been stored.
-- :name number_retake
DELETE FROM number WHERE digits = ?1 AND state IN (3, 4);

-- :name number_change
UPDATE number SET calling = ?3, sms = ?4 WHERE digits = ?1 AND resource = ?2 AND state = 2;

-- :name number_release
UPDATE number SET state = 3, until_us = ?3 WHERE digits = ?1 AND resource = ?2 AND state = 2;

-- :name number_quarantine
UPDATE number SET state = 4, until_us = ?2 WHERE digits = ?1 AND state = 3;

-- :name number_forget
DELETE FROM number WHERE digits = ?1 AND state IN (3, 4) AND until_us <= ?2;

-- :name number_leases
SELECT digits FROM number WHERE state = 2 AND resource = ?1 AND digits > ?2 ORDER BY digits LIMIT ?3 OFFSET ?4;

-- :name number_search_all
SELECT key, resource, country, type, assignment, calling, sms, state, expires_us, lease_micro, purchase, numbers
FROM number_search ORDER BY key;

-- :name number_search_insert
INSERT INTO number_search (key, resource, country, type, assignment, calling, sms, state, expires_us, lease_micro, purchase,
                           numbers)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, ?9, 0, ?10);

-- :name number_search_end
UPDATE number_search SET state = ?2, purchase = ?3 WHERE key = ?1 AND state = 0;

-- :name number_search_delete
DELETE FROM number_search WHERE key = ?1;

-- :name number_operation_all
SELECT key, resource, kind, status, created_us, changed_us, subject FROM number_operation ORDER BY key;

-- :name number_operation_insert
INSERT INTO number_operation (key, resource, kind, status, created_us, changed_us, subject)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- :name number_operation_status
UPDATE number_operation SET status = ?2, changed_us = ?3 WHERE key = ?1;

-- :name number_operation_delete
DELETE FROM number_operation WHERE key = ?1;
