-- How far a list was sent, in its client's own words; and imports that only look.
ALTER TABLE inventory_import ADD COLUMN mark TEXT NOT NULL DEFAULT '';
ALTER TABLE inventory_import ADD COLUMN dry_run INTEGER NOT NULL DEFAULT 0;
