/* briefs_priv.h - what our own API shows of a brief as the client sees it. */
#pragma once
#include "domain/registrations/registrations.h"
#include "edge/api/api.h"
#include "edge/api/http.h"

/** The whole brief, as the published API has it; name NULL: an element. */
void brief_write(const struct http_call *hc, struct jw *w, const char *name, const struct brief *b);
