-- Messages out and in, the segments carriers took, opt-outs.
CREATE TABLE message (
    key        BIGINT PRIMARY KEY,
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
    trail      TEXT NOT NULL
);
CREATE INDEX message_unfinished ON message (key) WHERE state < 10 AND inbound = 0;

CREATE TABLE segment (
    message   BIGINT NOT NULL,
    segment   INTEGER NOT NULL,
    carrier   TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    PRIMARY KEY (message, segment)
);

CREATE TABLE optout (
    sender    TEXT NOT NULL,
    recipient TEXT NOT NULL,
    at_us     BIGINT NOT NULL,
    PRIMARY KEY (sender, recipient)
);
