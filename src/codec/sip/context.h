/* context.h - what a caller says beside the call: User-To-User (RFC 7433) and X-MS-Custom-* headers of an INVITE, in one text.
 *
 * "Name: value" CRLF for each, at most SIP_CONTEXT_SIZE - 1 octets. Pure functions: any thread. */
#pragma once
#include "base/base.h"

enum { SIP_CONTEXT_SIZE = 1024, SIP_CONTEXT_NAME_MAX = 64 };

/** Is it User-To-User, or X-MS-Custom- and a token behind, of SIP_CONTEXT_NAME_MAX octets at most? In any case of letters. */
bool sip_context_name(struct str name);
/** Append one to `context`, which ends in NUL and holds SIP_CONTEXT_SIZE.
 *  @return ERR_RANGE (the name; a value that is empty, no UTF-8 or has control characters), ERR_CONFLICT (it has one of that name), ERR_BUSY (no room): nothing was appended */
MUST_USE enum err sip_context_add(char *context, struct str name, struct str value);
/** Take the first one off; false at the end. What is no header is passed over. */
bool sip_context_next(struct str *context, struct str *name, struct str *value);
