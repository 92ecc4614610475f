-- Guards that say who answers STOP.
ALTER TABLE sms_guard ADD COLUMN handling TEXT NOT NULL DEFAULT '';      -- carrier, platform, none
ALTER TABLE sms_guard ADD COLUMN language TEXT NOT NULL DEFAULT '';
