-- Searches and purchases that count against a subscription's quota; written only while quotas are on.
CREATE TABLE number_quota (
    operation    BIGINT PRIMARY KEY,
    subscription BIGINT NOT NULL,
    what         INTEGER NOT NULL,      -- 0 search, 1 purchase
    at_us        BIGINT NOT NULL
);
CREATE INDEX number_quota_of ON number_quota (subscription, what, at_us);
