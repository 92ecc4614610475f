-- Receipts: what the carrier said of each segment, and those that matched no message.

ALTER TABLE segment ADD COLUMN receipt INTEGER NOT NULL DEFAULT -1;     -- the carrier's state of it; -1: none yet

CREATE TABLE stray_receipt (
    carrier   TEXT NOT NULL,
    remote_id TEXT NOT NULL,
    state     INTEGER NOT NULL,
    status    INTEGER NOT NULL,
    at_us     BIGINT NOT NULL,
    PRIMARY KEY (carrier, remote_id)
);
