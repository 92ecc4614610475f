-- Subscriptions and resources: few rows, read whole at start. resource.state: 0 active, 1 being deleted, 2 gone.

-- :name subscription_all
SELECT key, name, offer, billing_country, active FROM subscription ORDER BY key;

-- :name subscription_insert
INSERT INTO subscription (key, name, offer, billing_country, active) VALUES (?1, ?2, ?3, ?4, 1);

-- :name subscription_set
UPDATE subscription SET offer = ?2, billing_country = ?3, active = ?4 WHERE key = ?1;

-- :name resource_all
SELECT key, name, subscription, key0, key1, state, resource_group, location, data_location, tags, identity, keys_off, created_us,
       changed_us
FROM resource ORDER BY key;

-- :name resource_insert
INSERT INTO resource (key, name, subscription, key0, key1, state, resource_group, location, data_location, tags, identity,
                      keys_off, created_us, changed_us)
VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12);

-- :name resource_set
UPDATE resource SET tags = ?2, identity = ?3, keys_off = ?4, changed_us = ?5 WHERE key = ?1 AND state = 0;

-- :name resource_set_key0
UPDATE resource SET key0 = ?2 WHERE key = ?1 AND state = 0;

-- :name resource_set_key1
UPDATE resource SET key1 = ?2 WHERE key = ?1 AND state = 0;

-- Its keys prove nothing any more: they need not be kept.
-- :name resource_end
UPDATE resource SET state = 1, key0 = '', key1 = '', changed_us = ?2 WHERE key = ?1 AND state = 0;

-- Only when nothing is leased to it; what it held was given up before.
-- :name resource_gone
UPDATE resource SET state = 2, changed_us = ?2
WHERE key = ?1 AND state = 1 AND NOT EXISTS (SELECT 1 FROM number WHERE resource = ?1 AND state = 2);
