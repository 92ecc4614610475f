/* languages.h - which language a client would rather read: Accept-Language (RFC 9110, 12.5.4) against what there is.
 *
 * Pure: any thread. */
#pragma once
#include "base/base.h"

/** The first choice that is offered, by weight and then by order; a range finds a shorter one ("de-AT" takes "de": RFC 4647,
 *  3.4), and Chinese of Taiwan, Hong Kong and Macao is zh-Hant. What cannot be read is passed over.
 *  @param offered  ended by NULL; the first stands for no wish and for '*'  @return one of `offered` */
const char *language_choose(struct str accept, const char *const *offered);
