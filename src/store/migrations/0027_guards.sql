-- What may hold a message back or refuse it: the operator's guards, and how far each is used up; when a message may leave.

CREATE TABLE sms_guard (
    name     TEXT PRIMARY KEY,
    kind     TEXT NOT NULL,             -- sender, resource, prefix, carrier, pumping, quiet
    whom     TEXT NOT NULL,             -- whom it means
    is_on    INTEGER NOT NULL,
    refuses  INTEGER NOT NULL,
    count    BIGINT NOT NULL,
    window_s BIGINT NOT NULL,
    burst    BIGINT NOT NULL,
    factor   BIGINT NOT NULL,
    from_minute  INTEGER NOT NULL,      -- of the local day
    until_minute INTEGER NOT NULL
);

CREATE TABLE sms_guard_level (
    guard TEXT NOT NULL,
    owner TEXT NOT NULL,                -- whose of the guard's buckets
    a     BIGINT NOT NULL,
    b     BIGINT NOT NULL,
    at_us BIGINT NOT NULL,
    PRIMARY KEY (guard, owner)
);

ALTER TABLE message ADD COLUMN send_at_us BIGINT NOT NULL DEFAULT 0;    -- product time; 0: at once
