/* sip_routing.h - rows of direct routing: a resource and the JSON of its whole configuration. */
#pragma once
#include "store/db.h"

void sip_routing_row_put(struct db_unit *u, uint64_t resource, struct str conf);
/** Blocks; for start-up. */
MUST_USE enum err sip_routing_rows_each(struct db *db, enum err (*fn)(void *arg, uint64_t resource, struct str conf),
                                        void *arg);

/** All of a resource: its configuration and its domains. */
void sip_routing_rows_delete_of(struct db_unit *u, uint64_t resource);

/* Domains whose owner is confirmed. */
void sip_domain_row_insert(struct db_unit *u, struct str name, uint64_t resource, int64_t since_us);
void sip_domain_row_delete(struct db_unit *u, struct str name, uint64_t resource);     /* misses when it is not its */
/** Blocks; for start-up. */
MUST_USE enum err sip_domain_rows_each(struct db *db,
                                       enum err (*fn)(void *arg, struct str name, uint64_t resource, int64_t since_us), void *arg);
