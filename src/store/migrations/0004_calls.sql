-- One row a call; ended_us is 0 while it lasts.
CREATE TABLE call (
    key          BIGINT PRIMARY KEY,
    resource     BIGINT NOT NULL,
    leg          BIGINT NOT NULL,
    outbound     INTEGER NOT NULL,
    caller       TEXT NOT NULL,         -- E.164 with '+', or what an emergency call dials
    callee       TEXT NOT NULL,
    display      TEXT NOT NULL,
    source       TEXT NOT NULL,         -- raw id of who asked for it
    callback_uri TEXT NOT NULL,         -- empty: nobody is told
    context      TEXT NOT NULL,
    trunk        TEXT NOT NULL,
    created_us   BIGINT NOT NULL,       -- product time, microseconds UTC, as all below
    connected_us BIGINT NOT NULL,       -- 0: never
    ended_us     BIGINT NOT NULL,
    code         INTEGER NOT NULL,      -- how it ended, in the words of the API
    subcode      INTEGER NOT NULL,
    sip          INTEGER NOT NULL,      -- and of the carrier: final SIP status, Q.850 cause; 0: none
    q850         INTEGER NOT NULL,
    words        TEXT NOT NULL,
    sent         BIGINT NOT NULL,       -- RTP packets
    received     BIGINT NOT NULL,
    lost         BIGINT NOT NULL
);
CREATE INDEX call_of_resource ON call (resource, key);
CREATE INDEX call_in_progress ON call (key) WHERE ended_us = 0;

-- What happened in a call, step by step, for explain.
CREATE TABLE call_trail (
    call  BIGINT NOT NULL,
    seq   INTEGER NOT NULL,
    at_us BIGINT NOT NULL,
    step  TEXT NOT NULL,
    PRIMARY KEY (call, seq)
);

-- Repeatability-Request-ID: which call a request made or ended, so that the same id has no second effect.
CREATE TABLE call_repeat (
    resource BIGINT NOT NULL,
    id       TEXT NOT NULL,
    call     BIGINT NOT NULL,
    at_us    BIGINT NOT NULL,
    PRIMARY KEY (resource, id)
);
