-- Direct routing: each resource's whole configuration, as the JSON of its newest API version. Absent: an empty one.
CREATE TABLE sip_routing (
    resource BIGINT PRIMARY KEY,
    conf     TEXT NOT NULL
);
