-- The operator's numbers: imports, their lots, packed batches, what was left out; withdrawn numbers, notes, audit.

-- :name inventory_import_all
SELECT key, id, file, carrier, state, next_line, taken, bad, started_us, ended_us, mark, dry_run FROM inventory_import ORDER BY key;

-- :name inventory_import_insert
INSERT INTO inventory_import (key, id, file, carrier, state, next_line, taken, bad, started_us, ended_us, dry_run)
VALUES (?1, ?2, ?3, ?4, 0, 1, 0, 0, ?5, 0, ?6);

-- :name inventory_import_move
UPDATE inventory_import SET next_line = ?3, taken = taken + ?4, bad = bad + ?5, mark = ?6
WHERE key = ?1 AND state = 0 AND next_line = ?2;

-- :name inventory_import_end
UPDATE inventory_import SET state = ?3, ended_us = ?4 WHERE key = ?1 AND state = ?2;

-- :name inventory_lot_all
SELECT l.key, l.import, l.carrier, l.simulated, l.country, l.type, l.calling, l.sms, l.cost_micro, l.tags
FROM inventory_lot l JOIN inventory_import i ON i.key = l.import WHERE i.state < 2 ORDER BY l.key;

-- :name inventory_lot_insert
INSERT INTO inventory_lot (key, import, carrier, simulated, country, type, calling, sms, cost_micro, tags)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (key) DO NOTHING;

-- :name inventory_batch_all
SELECT b.key, b.lot, b.numbers FROM inventory_batch b JOIN inventory_import i ON i.key = b.import WHERE i.state < 2 ORDER BY b.key;

-- :name inventory_batch_insert
INSERT INTO inventory_batch (key, import, lot, numbers) VALUES (?1, ?2, ?3, ?4);

-- :name inventory_batch_purge
DELETE FROM inventory_batch WHERE key IN (
    SELECT b.key FROM inventory_import i JOIN inventory_batch b ON b.import = i.key WHERE i.state >= 2 LIMIT ?1);

-- :name inventory_lot_purge
DELETE FROM inventory_lot WHERE key IN (
    SELECT l.key FROM inventory_import i JOIN inventory_lot l ON l.import = i.key WHERE i.state >= 2 LIMIT ?1);

-- :name inventory_bad_insert
INSERT INTO inventory_bad (import, line, rule, number, detail) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING;

-- :name inventory_bad_list
SELECT line, rule, number, detail FROM inventory_bad WHERE import = ?1 AND line > ?2 ORDER BY line LIMIT ?3;

-- :name inventory_withdrawn_all
SELECT digits, lot FROM inventory_withdrawn;

-- :name inventory_withdrawn_insert
INSERT INTO inventory_withdrawn (digits, lot) VALUES (?1, ?2);

-- :name inventory_note_all
SELECT digits, note, tags FROM inventory_note;

-- :name inventory_note_put
INSERT INTO inventory_note (digits, note, tags) VALUES (?1, ?2, ?3)
ON CONFLICT (digits) DO UPDATE SET note = excluded.note, tags = excluded.tags;

-- :name inventory_note_delete
DELETE FROM inventory_note WHERE digits = ?1;

-- :name number_audit_insert
INSERT INTO number_audit (digits, key, at_us, what, resource, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- :name number_audit_list
SELECT key, at_us, what, resource, detail FROM number_audit WHERE digits = ?1 AND key < ?2 ORDER BY key DESC LIMIT ?3;
