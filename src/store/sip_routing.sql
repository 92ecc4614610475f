-- Direct routing: one row a resource.

-- :name sip_routing_all
SELECT resource, conf FROM sip_routing ORDER BY resource;

-- :name sip_routing_put
INSERT INTO sip_routing (resource, conf) VALUES (?1, ?2)
ON CONFLICT (resource) DO UPDATE SET conf = excluded.conf;
