-- Subscriptions and resources: few rows, read whole at start.

-- :name subscription_all
SELECT key, name, offer, billing_country, active FROM subscription ORDER BY key;

-- :name subscription_insert
INSERT INTO subscription (key, name, offer, billing_country, active) VALUES (?1, ?2, ?3, ?4, 1);

-- :name resource_all
SELECT key, name, subscription, key0, key1 FROM resource ORDER BY key;

-- :name resource_insert
INSERT INTO resource (key, name, subscription, key0, key1) VALUES (?1, ?2, ?3, ?4, ?5);

-- :name resource_set_key0
UPDATE resource SET key0 = ?2 WHERE key = ?1;

-- :name resource_set_key1
UPDATE resource SET key1 = ?2 WHERE key = ?1;
