/* retention.h - deleting what is over, a slice at a time: purge_slice_fn of domain/purge.h. */
#pragma once
#include "store/db.h"

/** Ended messages, made before that product time, with their segments. */
void retain_messages_slice(struct db_unit *u, int64_t before_us, bool whole);
/** The texts of messages; the messages stay. */
void retain_bodies_slice(struct db_unit *u, int64_t before_us, bool whole);
/** Calls that ended before it, with their trails and repeatable requests. */
void retain_calls_slice(struct db_unit *u, int64_t before_us, bool whole);
/** Lines of the numbers' audit. */
void retain_audit_slice(struct db_unit *u, int64_t before_us, bool whole);
