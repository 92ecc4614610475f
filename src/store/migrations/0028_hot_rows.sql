-- The tables that every message writes, one b-tree less each: INTEGER PRIMARY KEY is the row's own number in SQLite, while BIGINT
-- PRIMARY KEY is an index beside it (another engine says BIGINT here, too); and short rows stand in their key's index itself.

CREATE TABLE message_ (
    key        INTEGER PRIMARY KEY,
    resource   BIGINT NOT NULL,
    inbound    INTEGER NOT NULL,
    sender     TEXT NOT NULL,
    recipient  TEXT NOT NULL,
    body       TEXT NOT NULL,
    tag        TEXT NOT NULL,
    report     INTEGER NOT NULL,
    repeat_id  TEXT NOT NULL,
    state      INTEGER NOT NULL,        -- 10 and above: final
    segments   INTEGER NOT NULL,
    carrier    TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    trail      TEXT NOT NULL,
    send_at_us BIGINT NOT NULL DEFAULT 0,   -- product time; 0: at once
    room       BLOB NOT NULL DEFAULT x''    -- for the trail to grow into: the row keeps its size, and its page is not split
);
INSERT INTO message_ (key, resource, inbound, sender, recipient, body, tag, report, repeat_id, state, segments, carrier, created_us,
                      updated_us, trail, send_at_us)
SELECT key, resource, inbound, sender, recipient, body, tag, report, repeat_id, state, segments, carrier, created_us, updated_us, trail,
       send_at_us
FROM message ORDER BY key;
DROP TABLE message;
ALTER TABLE message_ RENAME TO message;
CREATE INDEX message_unfinished ON message (key) WHERE state < 10 AND inbound = 0;

CREATE TABLE segment_ (
    message   BIGINT NOT NULL,
    segment   INTEGER NOT NULL,
    carrier   TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    receipt   INTEGER NOT NULL DEFAULT -1,  -- the carrier's state of it; -1: none yet
    PRIMARY KEY (message, segment)
) WITHOUT ROWID;
INSERT INTO segment_ (message, segment, carrier, remote_id, receipt)
SELECT message, segment, carrier, remote_id, receipt FROM segment ORDER BY message, segment;
DROP TABLE segment;
ALTER TABLE segment_ RENAME TO segment;

CREATE TABLE usage_ (
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
) WITHOUT ROWID;
INSERT INTO usage_ (cause, cause_kind, kind, number, part, key, at_us, until_us, resource, subscription, country, destination, quantity,
                    unit_micro, surcharge_micro, amount_micro)
SELECT cause, cause_kind, kind, number, part, key, at_us, until_us, resource, subscription, country, destination, quantity,
       unit_micro, surcharge_micro, amount_micro
FROM usage ORDER BY cause, kind, number, part;
DROP TABLE usage;
ALTER TABLE usage_ RENAME TO usage;
CREATE INDEX usage_of_resource ON usage (subscription, resource, at_us, key);

CREATE TABLE event_ (
    key      INTEGER PRIMARY KEY,
    resource BIGINT NOT NULL,
    id       TEXT NOT NULL,
    type     TEXT NOT NULL,
    subject  TEXT NOT NULL,
    data     TEXT NOT NULL,
    at_us    BIGINT NOT NULL
);
INSERT INTO event_ (key, resource, id, type, subject, data, at_us)
SELECT key, resource, id, type, subject, data, at_us FROM event ORDER BY key;
DROP TABLE event;
ALTER TABLE event_ RENAME TO event;
CREATE INDEX event_by_id ON event (id);
CREATE INDEX event_by_time ON event (at_us, key);

CREATE TABLE delivery_ (
    key          INTEGER PRIMARY KEY,
    subscription BIGINT NOT NULL,
    event        BIGINT NOT NULL,
    call         BIGINT NOT NULL,
    url          TEXT NOT NULL,
    body         TEXT NOT NULL,
    tries        INTEGER NOT NULL,
    next_us      BIGINT NOT NULL,
    dead         INTEGER NOT NULL,
    last         TEXT NOT NULL,             -- what the last try met, for people
    resource     BIGINT NOT NULL DEFAULT 0,
    lane         BIGINT NOT NULL DEFAULT 0,
    since_us     BIGINT NOT NULL DEFAULT 0,
    alone        INTEGER NOT NULL DEFAULT 0
);
INSERT INTO delivery_ (key, subscription, event, call, url, body, tries, next_us, dead, last, resource, lane, since_us, alone)
SELECT key, subscription, event, call, url, body, tries, next_us, dead, last, resource, lane, since_us, alone FROM delivery ORDER BY key;
DROP TABLE delivery;
ALTER TABLE delivery_ RENAME TO delivery;
CREATE INDEX delivery_of_subscription ON delivery (subscription, key);
CREATE INDEX delivery_of_event ON delivery (event);
CREATE INDEX delivery_due ON delivery (subscription, next_us, key) WHERE dead = 0 AND tries >= 2;
CREATE INDEX delivery_dead ON delivery (key) WHERE dead > 0;
CREATE INDEX delivery_dead_of_resource ON delivery (resource, key) WHERE dead > 0;
CREATE INDEX delivery_dead_of_subscription ON delivery (subscription, key) WHERE dead > 0;

CREATE TABLE delivery_try_ (
    key          INTEGER PRIMARY KEY,
    cause        BIGINT NOT NULL,
    delivery     BIGINT NOT NULL,
    subscription BIGINT NOT NULL,
    try          INTEGER NOT NULL,
    events       INTEGER NOT NULL,
    at_us        BIGINT NOT NULL,
    took_us      BIGINT NOT NULL,
    status       INTEGER NOT NULL,
    words        TEXT NOT NULL
);
INSERT INTO delivery_try_ (key, cause, delivery, subscription, try, events, at_us, took_us, status, words)
SELECT key, cause, delivery, subscription, try, events, at_us, took_us, status, words FROM delivery_try ORDER BY key;
DROP TABLE delivery_try;
ALTER TABLE delivery_try_ RENAME TO delivery_try;
CREATE INDEX delivery_try_of ON delivery_try (cause, key);
CREATE INDEX delivery_try_of_callback ON delivery_try (delivery) WHERE subscription = 0;
