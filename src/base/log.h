/* log.h - one event a line, fact first, on standard error.
 *
 * Any thread. No secrets, no message text, no full numbers (log_number() hides the middle digits). Domain logs
 * decisions, edges log peers; codec and store stay silent. */
#pragma once
#include "base/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_TEXT, LOG_JSON };

void log_setup(enum log_level least, enum log_format format);
bool log_wants(enum log_level level);
/** area: "sip", "smpp", "numbers", ...; ids: "call=... message=..." or NULL. */
void log_write(enum log_level level, const char *area, const char *ids, const char *format, ...) PRINTF(4, 5);
#define log_debug(area, ...) (log_wants(LOG_DEBUG) ? log_write(LOG_DEBUG, area, NULL, __VA_ARGS__) : (void)0)
#define log_info(area, ...)  log_write(LOG_INFO, area, NULL, __VA_ARGS__)
#define log_warn(area, ...)  log_write(LOG_WARN, area, NULL, __VA_ARGS__)
#define log_error(area, ...) log_write(LOG_ERROR, area, NULL, __VA_ARGS__)

/** "+1206***0123" into dst (24 octets at least); returns dst. */
const char *log_number(char *dst, struct str e164);
