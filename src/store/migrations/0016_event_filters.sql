-- Beside its types, a subscription may want events of some subjects or with some data only: a JSON object, empty for all.

ALTER TABLE event_subscription ADD COLUMN filter TEXT NOT NULL DEFAULT '';
