/* timeline.c - the lines of an answer, in order of time, with how long after the first each one was. */
#include "domain/explain/explain_priv.h"

#include <stdarg.h>
#include <stdio.h>

static const int64_t SAME_CLOCK_US = US_PER_S;      /* a key knows milliseconds, and a unit may wait: no difference is told */

/* Room for one more of an array. */
static void *grown(void *array, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return array;
    size_t more = *cap ? *cap * 2 : 32;
    void *p = realloc(array, more * size);
    if (p)
        *cap = more;
    return p;
}

void told_text(struct asking *a, const struct thing *t, int64_t at_us, struct str step, struct str text)
{
    if (!text.n)
        return;
    if (a->n_lines >= LINES_MOST) {
        a->cut = true;
        return;
    }
    struct told_line *lines = grown(a->lines, a->n_lines, &a->cap_lines, sizeof *lines);
    struct str own_step = arena_str(a->arena, step), own_text = arena_str(a->arena, text);
    if (lines)
        a->lines = lines;
    if (!lines || !own_step.p || !own_text.p) {
        a->bad = true;
        return;
    }
    lines[a->n_lines] = (struct told_line){ at_us, a->n_lines, t->kind, own_step.p, own_text };
    a->n_lines++;
}

void told(struct asking *a, const struct thing *t, int64_t at_us, const char *step, const char *format, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    told_text(a, t, at_us, str_of(step), str_of(text));
}

void told_pin(struct asking *a, int64_t at_us, uint64_t key)
{
    struct told_pin *pins = grown(a->pins, a->n_pins, &a->cap_pins, sizeof *pins);
    if (!pins) {
        a->bad = true;
        return;
    }
    a->pins = pins;
    pins[a->n_pins++] = (struct told_pin){ at_us, at_us - id_time_us(key) };
}

static int by_time(const void *x, const void *y)
{
    const struct told_line *a = x, *b = y;
    if (a->at_us != b->at_us)
        return a->at_us < b->at_us ? -1 : 1;
    return (a->order > b->order) - (a->order < b->order);
}

static int by_pin(const void *x, const void *y)
{
    const struct told_pin *a = x, *b = y;
    return (a->at_us > b->at_us) - (a->at_us < b->at_us);
}

/* How far the product clock was ahead then: as at the last pin before it. */
static int64_t ahead_us(const struct asking *a, int64_t at_us)
{
    int64_t ahead = a->n_pins ? a->pins[0].ahead_us : 0;
    for (size_t i = 0; i < a->n_pins && a->pins[i].at_us <= at_us; i++)
        ahead = a->pins[i].ahead_us;
    return ahead;
}

static void write_line(const struct asking *a, struct jw *w, const struct told_line *l)
{
    int64_t ahead = ahead_us(a, l->at_us);
    jw_object(w, NULL);
    jw_time(w, "time", l->at_us);
    if (ahead > SAME_CLOCK_US)
        jw_time(w, "wallTime", l->at_us - ahead);
    jw_micro(w, "offsetMs", (l->at_us - a->lines[0].at_us) * US_PER_MS);
    jw_textz(w, "of", explain_kind_word(l->of));
    jw_textz(w, "step", l->step);
    jw_text(w, "text", l->text);
    jw_end(w);
}

static void write_decision(struct jw *w, const struct decision *d)
{
    const struct { const char *name; struct str text; } members[] = {
        { "outcome", d->outcome }, { "rule", d->rule }, { "why", d->why }, { "limit", d->limit }, { "route", d->route },
        { "next", d->next },
    };
    jw_object(w, "decision");
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        if (members[i].text.n)
            jw_text(w, members[i].name, members[i].text);
    jw_end(w);
}

enum err told_write(struct asking *a)
{
    struct jw *w = &a->w;
    if (a->n_lines)
        qsort(a->lines, a->n_lines, sizeof *a->lines, by_time);
    if (a->n_pins)
        qsort(a->pins, a->n_pins, sizeof *a->pins, by_pin);
    write_decision(w, &a->decision);
    jw_array(w, "things");
    for (size_t i = 0; i < a->n_things; i++) {
        if (!a->things[i].found)
            continue;
        jw_object(w, NULL);
        jw_textz(w, "kind", explain_kind_word(a->things[i].kind));
        jw_textz(w, "id", a->things[i].id);
        jw_end(w);
    }
    jw_end(w);
    jw_bool(w, "cut", a->cut);
    jw_array(w, "lines");
    for (size_t i = 0; i < a->n_lines; i++)
        write_line(a, w, &a->lines[i]);
    jw_end(w);
    jw_end(w);
    return a->bad ? ERR_NOMEM : buf_err(&a->out);
}
