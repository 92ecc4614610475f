/* faulty.h - the courier's requests, where a fault may strike them (base/fault.h): begun, held for a while, or answered as if the
 * other end had.
 *
 * Thread: the loop of its client. */
#pragma once
#include "net/http_client.h"

struct faulty;
MUST_USE enum err faulty_new(struct faulty **out, struct loop *loop, struct http_client *client);
/** After the loop has stopped, before the client is freed: what was held ends with ERR_CLOSED. */
void faulty_free(struct faulty *f);
SCOPED_FREE(faulty)
/** As http_client_begin(). A held request counts as under way for its whole time. @return ERR_NOMEM */
MUST_USE enum err faulty_begin(struct faulty *f, const struct http_client_ask *ask);
