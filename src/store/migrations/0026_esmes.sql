-- Customers' ESMEs: what of a message came over SMPP, parts that wait for the others, and what waits for a bound receiver.

-- One row an id that was answered for a message on its way; gone with its end.
CREATE TABLE esme_message (
    message    BIGINT NOT NULL,
    answered   BIGINT NOT NULL,         -- the key whose public id a submit_sm_resp had
    resource   BIGINT NOT NULL,
    registered INTEGER NOT NULL,        -- registered_delivery
    reference  INTEGER NOT NULL,        -- user_message_reference; -1: none
    PRIMARY KEY (message, answered)
);

CREATE TABLE esme_part (
    key        BIGINT PRIMARY KEY,      -- whose public id was answered
    resource   BIGINT NOT NULL,
    sender     TEXT NOT NULL,
    recipient  TEXT NOT NULL,
    ref        INTEGER NOT NULL,
    total      INTEGER NOT NULL,
    part       INTEGER NOT NULL,
    body       TEXT NOT NULL,           -- octets in hexadecimal, behind the digit of their alphabet
    registered INTEGER NOT NULL,
    reference  INTEGER NOT NULL,
    created_us BIGINT NOT NULL
);

CREATE TABLE esme_mail (
    key          BIGINT PRIMARY KEY,
    resource     BIGINT NOT NULL,
    message      BIGINT NOT NULL,       -- whose trail tells of it
    receipt      INTEGER NOT NULL,      -- 0: a message from a phone
    answered     BIGINT NOT NULL,       -- receipt: the id it names
    sender       TEXT NOT NULL,         -- of the deliver_sm
    recipient    TEXT NOT NULL,
    body         TEXT NOT NULL,
    state        INTEGER NOT NULL,      -- receipt: message_state of SMPP 3.4, 5.2.28
    error        INTEGER NOT NULL,
    reference    INTEGER NOT NULL,
    submitted_us BIGINT NOT NULL,
    at_us        BIGINT NOT NULL
);
CREATE INDEX esme_mail_of_resource ON esme_mail (resource, key);

-- Resources that have bound as a receiver: messages from phones wait for them, too.
CREATE TABLE esme_box (
    resource BIGINT PRIMARY KEY,
    bound    INTEGER NOT NULL,
    at_us    BIGINT NOT NULL            -- when that became so
);
