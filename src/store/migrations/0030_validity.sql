-- Until when a message is worth delivering.

ALTER TABLE message ADD COLUMN valid_until_us BIGINT NOT NULL DEFAULT 0;    -- product time; 0: for as long as a carrier tries
