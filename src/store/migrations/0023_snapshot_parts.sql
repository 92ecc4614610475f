-- What a copy of the whole database carries beside its rows; empty otherwise (store/snapshots.sql).
CREATE TABLE snapshot_part (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
