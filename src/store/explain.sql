-- What explain asks of tables whose own modules keep them in memory; each by a key or an index.

-- What bears a key: 1 message, 2 call, 3 search, 4 operation, 5 reservation.
-- :name explain_made
SELECT 1 FROM message WHERE key = ?1 UNION ALL
SELECT 2 FROM call WHERE key = ?1 UNION ALL
SELECT 3 FROM number_search WHERE key = ?1 UNION ALL
SELECT 4 FROM number_operation WHERE key = ?1 UNION ALL
SELECT 5 FROM number_reservation WHERE key = ?1;

-- :name explain_search
SELECT resource, state, expires_us, purchase, country, numbers FROM number_search WHERE key = ?1;

-- :name explain_operation
SELECT resource, kind, status, created_us, changed_us, subject FROM number_operation WHERE key = ?1;

-- :name explain_reservation
SELECT resource, guid, state, created_us, expires_us, purchase FROM number_reservation WHERE key = ?1;

-- By the client's id; ?2 = 0: of any resource, the newest.
-- :name explain_reservation_named
SELECT key FROM number_reservation WHERE guid = ?1 AND (?2 = 0 OR resource = ?2) ORDER BY key DESC LIMIT 1;

-- :name explain_number
SELECT resource, state, search, calling, sms, purchased_us, until_us, carrier FROM number WHERE digits = ?1;

-- :name explain_leases
SELECT resource, since_us, cause, cause_kind, cycles, ended_us FROM lease WHERE number = ?1 ORDER BY since_us DESC LIMIT ?2;

-- The call whose callback that is: by its tries, or by what is still to be tried.
-- :name explain_callback
SELECT cause FROM delivery_try WHERE delivery = ?1 AND subscription = 0 UNION ALL
SELECT call FROM delivery WHERE key = ?1 AND subscription = 0;
