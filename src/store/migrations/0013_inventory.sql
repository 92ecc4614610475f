-- The operator's numbers, as they came in: not a row a number but packed lists, written once. What happens to a number later
-- is a row of `number`.

CREATE TABLE inventory_import (
    key        BIGINT PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,    -- the client's choice
    file       TEXT NOT NULL,
    carrier    TEXT NOT NULL,           -- of rows that named none
    state      INTEGER NOT NULL,        -- 0 open, 1 complete, 2 rolled back
    next_line  BIGINT NOT NULL,
    taken      BIGINT NOT NULL,         -- rows
    bad        BIGINT NOT NULL,
    started_us BIGINT NOT NULL,
    ended_us   BIGINT NOT NULL          -- 0: open
);

-- What numbers of an import have in common.
CREATE TABLE inventory_lot (
    key        BIGINT PRIMARY KEY,
    import     BIGINT NOT NULL,
    carrier    TEXT NOT NULL,
    simulated  INTEGER NOT NULL,
    country    TEXT NOT NULL,
    type       INTEGER NOT NULL,
    calling    INTEGER NOT NULL,
    sms        INTEGER NOT NULL,
    cost_micro BIGINT NOT NULL,         -- a month, millionths of a US dollar
    tags       TEXT NOT NULL
);
CREATE INDEX inventory_lot_by_import ON inventory_lot (import);

CREATE TABLE inventory_batch (
    key     BIGINT PRIMARY KEY,
    import  BIGINT NOT NULL,
    lot     BIGINT NOT NULL,
    numbers BLOB NOT NULL               -- rising: the first, then each one's distance from the one before, as varints
);
CREATE INDEX inventory_batch_by_import ON inventory_batch (import);

CREATE TABLE inventory_bad (            -- the first rows that an import left out
    import BIGINT NOT NULL,
    line   BIGINT NOT NULL,
    rule   TEXT NOT NULL,
    number TEXT NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (import, line)
);

CREATE TABLE inventory_withdrawn (      -- numbers that are in a batch, and no longer in the inventory
    digits BIGINT NOT NULL,
    lot    BIGINT NOT NULL,
    PRIMARY KEY (digits, lot)
);

CREATE TABLE inventory_note (
    digits BIGINT PRIMARY KEY,
    note   TEXT NOT NULL,
    tags   TEXT NOT NULL
);

CREATE TABLE number_audit (             -- what happened to a number; its import is its lot's
    digits   BIGINT NOT NULL,
    key      BIGINT NOT NULL,
    at_us    BIGINT NOT NULL,
    what     TEXT NOT NULL,
    resource BIGINT NOT NULL,           -- 0: the operator
    detail   TEXT NOT NULL,
    PRIMARY KEY (digits, key)
);
