-- Only leases are listed by their resource: a hold, which comes and goes, need not be in this index.

DROP INDEX number_by_resource;
CREATE INDEX number_by_resource ON number (resource, digits) WHERE state = 2;
