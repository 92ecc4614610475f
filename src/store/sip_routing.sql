-- Direct routing: one row a resource.

-- :name sip_routing_all
SELECT resource, conf FROM sip_routing ORDER BY resource;

-- :name sip_routing_put
INSERT INTO sip_routing (resource, conf) VALUES (?1, ?2)
ON CONFLICT (resource) DO UPDATE SET conf = excluded.conf;

-- :name sip_domain_all
SELECT name, resource, since_us FROM sip_domain ORDER BY name;

-- :name sip_domain_insert
INSERT INTO sip_domain (name, resource, since_us) VALUES (?1, ?2, ?3);

-- :name sip_domain_delete
DELETE FROM sip_domain WHERE name = ?1 AND resource = ?2;

-- :name sip_domain_delete_of_resource
DELETE FROM sip_domain WHERE resource = ?1;

-- :name sip_routing_delete
DELETE FROM sip_routing WHERE resource = ?1;
