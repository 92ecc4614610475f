-- Carriers and trunks that an operator added.

-- :name carrier_all
SELECT key, kind, name, conf FROM carrier ORDER BY key;

-- :name carrier_insert
INSERT INTO carrier (key, kind, name, conf) VALUES (?1, ?2, ?3, ?4);
