-- What every installation has: facts about itself, subscriptions, resources, the event outbox.

-- One row a fact: the clock's offset, the seed, this node.
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE subscription (
    key             BIGINT PRIMARY KEY,
    name            TEXT NOT NULL UNIQUE,
    offer           TEXT NOT NULL,
    billing_country TEXT NOT NULL,
    active          INTEGER NOT NULL
);

CREATE TABLE resource (
    key          BIGINT PRIMARY KEY,
    name         TEXT NOT NULL UNIQUE,
    subscription BIGINT NOT NULL REFERENCES subscription (key),
    key0         TEXT NOT NULL,         -- base64
    key1         TEXT NOT NULL
);

-- Who wants which events. types: comma-separated, empty for all. state: 0 awaiting the handshake, 1 active, 2 failed.
CREATE TABLE event_subscription (
    key        BIGINT PRIMARY KEY,
    resource   BIGINT NOT NULL,
    name       TEXT NOT NULL,
    url        TEXT NOT NULL,
    types      TEXT NOT NULL,
    cloud      INTEGER NOT NULL,        -- 1: CloudEvents 1.0, 0: Event Grid schema
    state      INTEGER NOT NULL,
    batch      INTEGER NOT NULL
);

-- Events of the last days, for `events list`, tail and replay.
CREATE TABLE event (
    key      BIGINT PRIMARY KEY,
    resource BIGINT NOT NULL,
    id       TEXT NOT NULL,
    type     TEXT NOT NULL,
    subject  TEXT NOT NULL,
    data     TEXT NOT NULL,
    at_us    BIGINT NOT NULL
);

-- The outbox: one row for each (event or callback, endpoint) not yet acknowledged.
-- subscription 0: a call's callback, whose whole text is in body and whose address is in url.
CREATE TABLE delivery (
    key          BIGINT PRIMARY KEY,
    subscription BIGINT NOT NULL,
    event        BIGINT NOT NULL,
    call         BIGINT NOT NULL,
    url          TEXT NOT NULL,
    body         TEXT NOT NULL,
    tries        INTEGER NOT NULL,
    next_us      BIGINT NOT NULL,
    dead         INTEGER NOT NULL,
    last         TEXT NOT NULL          -- what the last try met, for people
);

-- Refusals, kept for explain: what was asked, which rule, what to do.
CREATE TABLE refusal (
    request    BIGINT PRIMARY KEY,
    resource   BIGINT NOT NULL,
    at_us      BIGINT NOT NULL,
    what       TEXT NOT NULL,
    status     INTEGER NOT NULL,
    code       TEXT NOT NULL,
    text       TEXT NOT NULL,
    rule       TEXT NOT NULL,
    suggestion TEXT NOT NULL
);

-- Carriers and trunks that an operator added. conf: the JSON that was given; secrets stay inside it, files are 0600.
CREATE TABLE carrier (
    key     BIGINT PRIMARY KEY,
    kind    TEXT NOT NULL,              -- smsc | trunk
    name    TEXT NOT NULL UNIQUE,
    conf    TEXT NOT NULL
);
