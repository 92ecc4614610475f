-- What counts against quotas.

-- :name quota_all
SELECT operation, subscription, what, at_us FROM number_quota ORDER BY at_us, operation;

-- :name quota_insert
INSERT INTO number_quota (operation, subscription, what, at_us) VALUES (?1, ?2, ?3, ?4);

-- :name quota_forget
DELETE FROM number_quota WHERE subscription = ?1 AND what = ?2 AND at_us <= ?3;
