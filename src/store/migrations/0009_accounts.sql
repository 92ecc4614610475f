-- What the management API keeps of a resource, and resources that were deleted: the row stays, so that old usage and old
-- audits can be told whose they were; its name is free again.

CREATE TABLE resource_2 (
    key           BIGINT PRIMARY KEY,
    name          TEXT NOT NULL,
    subscription  BIGINT NOT NULL,
    key0          TEXT NOT NULL,        -- base64
    key1          TEXT NOT NULL,
    state         INTEGER NOT NULL,     -- 0 active, 1 being deleted, 2 gone
    resource_group TEXT NOT NULL,
    location      TEXT NOT NULL,
    data_location TEXT NOT NULL,
    tags          TEXT NOT NULL,        -- JSON objects as they were given; empty: none
    identity      TEXT NOT NULL,
    keys_off      INTEGER NOT NULL,
    created_us    BIGINT NOT NULL,      -- 0: before this was kept; the key's own time
    changed_us    BIGINT NOT NULL
);
INSERT INTO resource_2
SELECT key, name, subscription, key0, key1, 0, 'default', 'global', 'United States', '', '', 0, 0, 0 FROM resource;
DROP TABLE resource;
ALTER TABLE resource_2 RENAME TO resource;
CREATE UNIQUE INDEX resource_name ON resource (name) WHERE state < 2;
