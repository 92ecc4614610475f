-- Who said that somebody opted out: the phone's STOP, the application, a carrier; and about which message the carrier said so.
ALTER TABLE optout ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE optout ADD COLUMN about BIGINT NOT NULL DEFAULT 0;
