/* readiness.h - is the store still deciding what it is given? For /readyz.
 *
 * Every two seconds control posts a unit that changes nothing; the answer is remembered. A database that is
 * broken (store/db.h) ends the process, by SIGTERM. Thread: control, but for
 * readiness_ask(), which any thread may call. */
#pragma once
#include "base/buf.h"
#include "domain/control.h"

struct readiness;

MUST_USE enum err readiness_new(struct readiness **out, struct control *control);
void readiness_free(struct readiness *r);
SCOPED_FREE(readiness)
/** Start asking, on control or before it runs. */
void readiness_start(struct readiness *r);
/** @param words  what is wrong, or what was seen  @return false when the store failed within the last ten seconds, or has not answered for as long */
bool readiness_ask(void *readiness, struct buf *words);
