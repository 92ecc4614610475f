/* carrier_profile.h - what an operator tells of one SMSC's manners: read from the JSON of `smsc add`. */
#pragma once
#include "base/json.h"
#include "edge/smpp/smpp_edge.h"

/** Fills the manners of `conf`: receiptId, dataCoding, throttleStatus, transientStatus, permanentStatus, tlvs, tls.
 *  @return ERR_RANGE with `why` */
MUST_USE enum err carrier_profile_read(struct smpp_bind_conf *conf, const struct json *j, struct problem *why);
