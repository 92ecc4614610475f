-- An event is found by the number within its id: such numbers grow with time, and an index of them is written at its end alone. Where
-- an index of the ids themselves grows all over, a page for each event.
ALTER TABLE event ADD COLUMN about BIGINT NOT NULL DEFAULT 0;       -- 0: its id has none, or it was written before
DROP INDEX event_by_id;
CREATE INDEX event_by_id ON event (id) WHERE about = 0;
CREATE INDEX event_by_about ON event (about) WHERE about > 0;
