#include "store/retention.h"

/* A slice is a few milliseconds of the writer's time; LOOK: how many of the oldest rows may be in the way. */
enum { MESSAGES = 500, BODIES = 1000, CALLS = 100, AUDIT = 1000, LOOK = 4 };

void retain_messages_slice(struct db_unit *u, int64_t before_us, bool whole)
{
    db_do(u, DB_RETAIN_SEGMENTS, DB_ANY_ROWS, DB_I(before_us), DB_I(MESSAGES), DB_I(LOOK * MESSAGES));
    db_do(u, DB_RETAIN_MESSAGES, whole ? MESSAGES : DB_ANY_ROWS, DB_I(before_us), DB_I(MESSAGES), DB_I(LOOK * MESSAGES));
}

void retain_bodies_slice(struct db_unit *u, int64_t before_us, bool whole)
{
    db_do(u, DB_RETAIN_BODIES_BEGIN, DB_ANY_ROWS);
    db_do(u, DB_RETAIN_BODIES, whole ? BODIES : DB_ANY_ROWS, DB_I(before_us), DB_I(BODIES));
    db_do(u, DB_RETAIN_BODIES_UNTIL, 1, DB_I(before_us), DB_I(BODIES));
}

void retain_calls_slice(struct db_unit *u, int64_t before_us, bool whole)
{
    db_do(u, DB_RETAIN_CALL_TRAILS, DB_ANY_ROWS, DB_I(before_us), DB_I(CALLS), DB_I(LOOK * CALLS));
    db_do(u, DB_RETAIN_CALL_REPEATS, DB_ANY_ROWS, DB_I(before_us), DB_I(CALLS), DB_I(LOOK * CALLS));
    db_do(u, DB_RETAIN_CALLS, whole ? CALLS : DB_ANY_ROWS, DB_I(before_us), DB_I(CALLS), DB_I(LOOK * CALLS));
}

void retain_audit_slice(struct db_unit *u, int64_t before_us, bool whole)
{
    db_do(u, DB_RETAIN_AUDIT, whole ? AUDIT : DB_ANY_ROWS, DB_I(before_us), DB_I(AUDIT));
}
