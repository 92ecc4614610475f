-- Deliveries that are many: found by subscription, by event, by when they are due; dead letters listed; every try logged.

-- Headers, bearer and key that go with each delivery: a JSON object, empty for none.
ALTER TABLE event_subscription ADD COLUMN secrets TEXT NOT NULL DEFAULT '';

-- lane: first tries of one subscription and lane leave in order. since_us: tried for a day from then. alone: it failed in a
-- batch and goes by itself. dead: 0 not, else why (1 tries, 2 time, 3 an answer that cannot get better), next_us then says when.
ALTER TABLE delivery ADD COLUMN resource BIGINT NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN lane BIGINT NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN since_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN alone INTEGER NOT NULL DEFAULT 0;
UPDATE delivery SET lane = call;
UPDATE delivery SET since_us = (SELECT e.at_us FROM event e WHERE e.key = delivery.event),
                    resource = (SELECT e.resource FROM event e WHERE e.key = delivery.event)
WHERE event IN (SELECT key FROM event);

CREATE INDEX delivery_of_subscription ON delivery (subscription, key);
CREATE INDEX delivery_of_event ON delivery (event);
CREATE INDEX delivery_due ON delivery (subscription, next_us, key) WHERE dead = 0 AND tries >= 2;
CREATE INDEX delivery_dead ON delivery (key) WHERE dead > 0;
CREATE INDEX delivery_dead_of_resource ON delivery (resource, key) WHERE dead > 0;
CREATE INDEX delivery_dead_of_subscription ON delivery (subscription, key) WHERE dead > 0;

CREATE INDEX event_by_id ON event (id);
CREATE INDEX event_by_time ON event (at_us, key);

-- What each try met, kept as long as events are. cause: the event's key; the call's for a callback (subscription 0).
-- status 0: no HTTP answer. events: how many were in that POST.
CREATE TABLE delivery_try (
    key          BIGINT PRIMARY KEY,
    cause        BIGINT NOT NULL,
    delivery     BIGINT NOT NULL,
    subscription BIGINT NOT NULL,
    try          INTEGER NOT NULL,
    events       INTEGER NOT NULL,
    at_us        BIGINT NOT NULL,
    took_us      BIGINT NOT NULL,
    status       INTEGER NOT NULL,
    words        TEXT NOT NULL
);
CREATE INDEX delivery_try_of ON delivery_try (cause, key);
