-- Parts of messages that come in whose carrier does not wait with them: answered, and gone with their message.
CREATE TABLE inbound_part (
    carrier   TEXT NOT NULL,
    sender    TEXT NOT NULL,
    recipient TEXT NOT NULL,
    ref       INTEGER NOT NULL,
    total     INTEGER NOT NULL,
    part      INTEGER NOT NULL,
    body      TEXT NOT NULL,            -- as the carrier wants it back
    at_us     BIGINT NOT NULL,
    PRIMARY KEY (carrier, sender, recipient, ref, total, part)
);
