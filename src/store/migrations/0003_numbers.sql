-- Phone numbers: leases, holds, released ones, quarantine. A number without a row is available.

CREATE TABLE number (
    digits       BIGINT PRIMARY KEY,    -- E.164 without '+'
    state        INTEGER NOT NULL,      -- 1 held, 2 leased, 3 released, 4 quarantine
    search       BIGINT NOT NULL,       -- the search that holds or bought it
    resource     BIGINT NOT NULL,
    type         INTEGER NOT NULL,      -- 0 geographic, 1 toll-free
    assignment   INTEGER NOT NULL,      -- 0 person, 1 application
    calling      INTEGER NOT NULL,      -- bits: 1 inbound, 2 outbound
    sms          INTEGER NOT NULL,
    country      TEXT NOT NULL,
    carrier      TEXT NOT NULL,
    simulated    INTEGER NOT NULL,
    purchased_us BIGINT NOT NULL,
    until_us     BIGINT NOT NULL        -- end of the hold, the billing cycle or the quarantine; 0 while leased
);
CREATE INDEX number_by_search ON number (search);
CREATE INDEX number_by_resource ON number (resource, digits);

CREATE TABLE number_search (
    key         BIGINT PRIMARY KEY,     -- also its operation's
    resource    BIGINT NOT NULL,
    country     TEXT NOT NULL,
    type        INTEGER NOT NULL,
    assignment  INTEGER NOT NULL,
    calling     INTEGER NOT NULL,
    sms         INTEGER NOT NULL,
    state       INTEGER NOT NULL,       -- 0 held, 1 bought, 2 expired, 3 canceled
    expires_us  BIGINT NOT NULL,
    lease_micro BIGINT NOT NULL,
    purchase    BIGINT NOT NULL,        -- the operation that bought it
    numbers     TEXT NOT NULL           -- what it found, separated by blanks
);

-- Long-running operations; kind: 0 search, 1 purchase, 2 release, 3 capabilities. status: 0 succeeded, 1 failed, 2 canceled.
CREATE TABLE number_operation (
    key        BIGINT PRIMARY KEY,
    resource   BIGINT NOT NULL,
    kind       INTEGER NOT NULL,
    status     INTEGER NOT NULL,
    created_us BIGINT NOT NULL,
    changed_us BIGINT NOT NULL,
    subject    BIGINT NOT NULL
);
