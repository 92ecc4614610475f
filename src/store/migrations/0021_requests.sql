-- Requests of the API that changed something or were refused: what came, how it was answered, what it was about. What a
-- request makes (a message, a call, a search, an operation) bears its key, so nothing else has to link the two.
-- POST /sms has no row where all of it was accepted: its messages say the same.

CREATE TABLE request (
    key        BIGINT PRIMARY KEY,
    resource   BIGINT NOT NULL,         -- 0: the operator
    at_us      BIGINT NOT NULL,         -- product time of the answer; the key knows when it came, by the wall
    took_us    BIGINT NOT NULL,
    operation  TEXT NOT NULL,
    status     INTEGER NOT NULL,
    subject    BIGINT NOT NULL,         -- key or digits of what it was about; 0: nothing, or what it made
    code       TEXT NOT NULL,
    text       TEXT NOT NULL,
    rule       TEXT NOT NULL,
    suggestion TEXT NOT NULL
);
CREATE INDEX request_about ON request (subject, key) WHERE subject <> 0;
INSERT INTO request (key, resource, at_us, took_us, operation, status, subject, code, text, rule, suggestion)
SELECT request, resource, at_us, 0, what, status, 0, code, text, rule, suggestion FROM refusal;
DROP TABLE refusal;

-- The operator asks for a reservation by the client's id alone.
CREATE INDEX number_reservation_by_guid ON number_reservation (guid);
