-- What the database says of itself.

-- :name meta_get
SELECT value FROM meta WHERE name = ?1;

-- :name meta_put
INSERT INTO meta (name, value) VALUES (?1, ?2)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- :name meta_add
-- Once only: a second one conflicts.
INSERT INTO meta (name, value) VALUES (?1, ?2);

-- :name meta_swap
-- ?2 for ?3, if it is still ?3.
UPDATE meta SET value = ?2 WHERE name = ?1 AND value = ?3;

-- :name meta_drop
DELETE FROM meta WHERE name = ?1;

-- :name meta_list
SELECT name, value, length(value), NULLIF(value, '') FROM meta WHERE name >= ?1 ORDER BY name;
