-- Domains whose ownership the operator has confirmed: one resource each.
CREATE TABLE sip_domain (
    name     TEXT PRIMARY KEY,          -- lower case
    resource BIGINT NOT NULL,
    since_us BIGINT NOT NULL
);
