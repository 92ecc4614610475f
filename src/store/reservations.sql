-- Reservations and what they hold: an item without an error is a hold while its reservation is active.
-- state: 0 active, 2 completed, 3 expired (1, submitted, is never stored).

-- :name reservation_all
SELECT key, resource, guid, state, created_us, expires_us, purchase FROM number_reservation ORDER BY key;

-- :name reservation_item_all
SELECT reservation, digits, type, assignment, calling, sms, country, lease_micro, error_code, error_text
FROM number_reservation_item ORDER BY reservation, digits;

-- :name reservation_insert
INSERT INTO number_reservation (key, resource, guid, state, created_us, expires_us, purchase)
VALUES (?1, ?2, ?3, 0, ?4, ?5, 0);

-- One of the same name whose time is over is not to be told of any more: its row was left behind.
-- :name reservation_item_delete_over
DELETE FROM number_reservation_item WHERE reservation IN (
    SELECT key FROM number_reservation WHERE resource = ?1 AND guid = ?2 AND expires_us <= ?3);

-- :name reservation_delete_over
DELETE FROM number_reservation WHERE resource = ?1 AND guid = ?2 AND expires_us <= ?3;

-- :name reservation_extend
UPDATE number_reservation SET expires_us = ?2 WHERE key = ?1 AND state = 0;

-- :name reservation_end
UPDATE number_reservation SET state = ?2, purchase = ?3 WHERE key = ?1 AND state = 0;

-- :name reservation_delete
DELETE FROM number_reservation WHERE key = ?1;

-- :name reservation_item_put
INSERT INTO number_reservation_item (reservation, digits, type, assignment, calling, sms, country, lease_micro, error_code,
                                     error_text)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
ON CONFLICT (reservation, digits) DO UPDATE SET
    type = excluded.type, assignment = excluded.assignment, calling = excluded.calling, sms = excluded.sms,
    country = excluded.country, lease_micro = excluded.lease_micro, error_code = excluded.error_code,
    error_text = excluded.error_text;

-- :name reservation_item_delete
DELETE FROM number_reservation_item WHERE reservation = ?1 AND digits = ?2;

-- :name reservation_item_delete_all
DELETE FROM number_reservation_item WHERE reservation = ?1;
