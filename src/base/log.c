#include "base/log.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static _Atomic int least_level = LOG_INFO;
static _Atomic int line_format = LOG_TEXT;
static const char *const level_words[] = { "debug", "info", "warn", "error" };

void log_setup(enum log_level least, enum log_format format)
{
    least_level = (int)least;
    line_format = (int)format;
}

bool log_wants(enum log_level level)
{
    return (int)level >= least_level;
}

static void line_text(struct buf *b, const char *time, enum log_level level, const char *area, const char *ids,
                      const char *text)
{
    buf_printf(b, "%s %-5s %s: %s%s%s\n", time, level_words[level], area, text, ids ? " " : "", ids ? ids : "");
}

static void line_json(struct buf *b, const char *time, enum log_level level, const char *area, const char *ids,
                      const char *text)
{
    struct jw w = jw_of(b);
    jw_object(&w, NULL);
    jw_textz(&w, "time", time);
    jw_textz(&w, "level", level_words[level]);
    jw_textz(&w, "area", area);
    jw_textz(&w, "text", text);
    if (ids)
        jw_textz(&w, "ids", ids);
    jw_end(&w);
    buf_putc(b, '\n');
}

void log_write(enum log_level level, const char *area, const char *ids, const char *format, ...)
{
    if (!log_wants(level))
        return;
    char text[1024], time[ISO8601_SIZE];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ')
            *c = ' ';               /* a peer's line break must not forge a log line */
    time_iso8601(time, clock_wall_us());
    scoped_buf b = { 0 };
    (line_format == LOG_JSON ? line_json : line_text)(&b, time, level, area, ids, text);
    if (!b.bad)
        (void)!write(STDERR_FILENO, b.p, b.n);
}

const char *log_number(char *dst, struct str e164)
{
    size_t head = e164.n < 9 ? e164.n / 2 : e164.n - 7, tail = e164.n < 9 ? 0 : 4;
    snprintf(dst, 24, "%.*s***%.*s", (int)(head < 12 ? head : 12), e164.p, (int)tail, e164.p + e164.n - tail);
    return dst;
}
