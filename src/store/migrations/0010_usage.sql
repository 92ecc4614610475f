-- Money: one row a charge, their sums by day, what leases owe next, spend caps. Amounts are millionths of a US dollar.

-- Written by the unit of what caused it. A cause charges each part once: a message its segments, a lease its cycles.
CREATE TABLE usage (
    cause           BIGINT NOT NULL,        -- message, call, or the operation that purchased
    cause_kind      INTEGER NOT NULL,       -- which of them: enum id_kind
    kind            INTEGER NOT NULL,       -- enum charge_kind
    number          BIGINT NOT NULL,        -- ours, E.164 without '+'
    part            INTEGER NOT NULL,       -- segment, or cycle of a lease, from 0
    key             BIGINT NOT NULL,
    at_us           BIGINT NOT NULL,
    until_us        BIGINT NOT NULL,        -- end of what is charged: call, cycle; 0: it took no time
    resource        BIGINT NOT NULL,
    subscription    BIGINT NOT NULL,
    country         TEXT NOT NULL,          -- at the other end; of the number itself for a lease
    destination     TEXT NOT NULL,          -- rate group, country or type of number
    quantity        BIGINT NOT NULL,
    unit_micro      BIGINT NOT NULL,        -- with the surcharge
    surcharge_micro BIGINT NOT NULL,        -- the carrier's part of each unit
    amount_micro    BIGINT NOT NULL,
    PRIMARY KEY (cause, kind, number, part)
);
CREATE INDEX usage_of_resource ON usage (subscription, resource, at_us, key);

-- The same, summed: so that invoices and spend caps cost as much as there are lines, not as there are charges.
CREATE TABLE usage_day (
    subscription    BIGINT NOT NULL,
    month           INTEGER NOT NULL,       -- 202611
    number          BIGINT NOT NULL,
    kind            INTEGER NOT NULL,
    country         TEXT NOT NULL,
    destination     TEXT NOT NULL,
    unit_micro      BIGINT NOT NULL,
    resource        BIGINT NOT NULL,
    day             INTEGER NOT NULL,       -- 20261122
    quantity        BIGINT NOT NULL,
    surcharge_micro BIGINT NOT NULL,        -- of all of them
    amount_micro    BIGINT NOT NULL,
    PRIMARY KEY (subscription, month, number, kind, country, destination, unit_micro, resource, day)
);

-- What is leased by the month, and was. next_us: when the next month is owed; 0: never again.
CREATE TABLE lease (
    number       BIGINT NOT NULL,
    since_us     BIGINT NOT NULL,
    resource     BIGINT NOT NULL,
    subscription BIGINT NOT NULL,
    cause        BIGINT NOT NULL,           -- the operation that purchased it
    cause_kind   INTEGER NOT NULL,
    country      TEXT NOT NULL,
    type         INTEGER NOT NULL,
    assignment   INTEGER NOT NULL,
    unit_micro   BIGINT NOT NULL,           -- a month, when it was last charged
    cycles       INTEGER NOT NULL,          -- charged so far
    next_us      BIGINT NOT NULL,
    ended_us     BIGINT NOT NULL,           -- when it was released; 0: it is leased
    PRIMARY KEY (number, since_us)
);
CREATE INDEX lease_due ON lease (next_us) WHERE next_us > 0;

-- The most a subscription may spend in a calendar month. Absent: no cap.
CREATE TABLE spend_cap (
    subscription BIGINT PRIMARY KEY,
    micro        BIGINT NOT NULL
);
