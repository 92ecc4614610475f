-- Which carrier takes which messages: the operator's routes.

CREATE TABLE sms_route (
    key        BIGINT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    prefix     TEXT NOT NULL,           -- digits that the recipient begins with; empty: any
    sender     TEXT NOT NULL,           -- a sender, or its beginning and '*'; empty: any
    pool       TEXT NOT NULL,           -- a tag of the sender's number; empty: any
    carrier    TEXT NOT NULL,
    weight     INTEGER NOT NULL,
    priority   INTEGER NOT NULL,
    cost_micro BIGINT NOT NULL          -- of a segment, millionths of a US dollar
);
