-- Reservations of phone numbers. Their holds are rows of `number` whose `search` is the reservation's key.

CREATE TABLE number_reservation (
    key        BIGINT PRIMARY KEY,
    resource   BIGINT NOT NULL,
    guid       TEXT NOT NULL,           -- the client's choice, lower case
    state      INTEGER NOT NULL,        -- 0 active, 2 completed, 3 expired
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    purchase   BIGINT NOT NULL,         -- the operation that bought it
    UNIQUE (resource, guid)
);

CREATE TABLE number_reservation_item (
    reservation BIGINT NOT NULL,
    digits      BIGINT NOT NULL,        -- E.164 without '+'
    type        INTEGER NOT NULL,
    assignment  INTEGER NOT NULL,
    calling     INTEGER NOT NULL,
    sms         INTEGER NOT NULL,
    country     TEXT NOT NULL,
    lease_micro BIGINT NOT NULL,
    error_code  TEXT NOT NULL,          -- empty: it is (or was) held
    error_text  TEXT NOT NULL,
    PRIMARY KEY (reservation, digits)
);
