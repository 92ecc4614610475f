-- Registrations: toll-free campaign briefs and short-code program briefs, with what is attached to the first.

CREATE TABLE brief (
    key          BIGINT PRIMARY KEY,
    resource     BIGINT NOT NULL,
    kind         INTEGER NOT NULL,      -- 0 toll-free campaign, 1 short-code program
    guid         TEXT NOT NULL,         -- the client's choice, lower case
    country      TEXT NOT NULL,
    state        INTEGER NOT NULL,      -- 0 draft, 1 submitted, 2 update requested, 3 new vanity numbers, 4 approved, 5 denied, 6 cancelled
    number       TEXT NOT NULL,         -- the short code of an approved program; else empty
    submitted_us BIGINT NOT NULL,
    updated_us   BIGINT NOT NULL,       -- of the state
    content      TEXT NOT NULL,         -- the client's fields, as JSON
    notes        TEXT NOT NULL,         -- of the review, as a JSON array
    UNIQUE (resource, kind, guid)
);
CREATE UNIQUE INDEX brief_number ON brief (number) WHERE number <> '';

CREATE TABLE brief_attachment (
    brief     BIGINT NOT NULL,
    guid      TEXT NOT NULL,
    type      TEXT NOT NULL,
    name      TEXT NOT NULL,
    file_type TEXT NOT NULL,
    size      BIGINT NOT NULL,          -- octets
    content   TEXT NOT NULL,            -- base64, as it came
    PRIMARY KEY (brief, guid)
);
