-- Carriers and trunks that an operator added.

-- :name carrier_all
SELECT key, kind, name, conf FROM carrier ORDER BY key;

-- :name carrier_insert
INSERT INTO carrier (key, kind, name, conf) VALUES (?1, ?2, ?3, ?4);

-- :name carrier_update
UPDATE carrier SET conf = ?3 WHERE kind = ?1 AND name = ?2;

-- :name carrier_delete
DELETE FROM carrier WHERE kind = ?1 AND name = ?2;
