-- What a copy of the whole database carries beside its rows (store/db.h, db_copy): empty but in such a copy, and in a server that was
-- given one and has not taken it in yet.

-- :name snapshot_part_put
INSERT INTO snapshot_part (name, value) VALUES (?1, ?2);

-- :name snapshot_part_get
SELECT value FROM snapshot_part WHERE name = ?1;

-- :name snapshot_part_clear
DELETE FROM snapshot_part;
