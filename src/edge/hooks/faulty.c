#include "edge/hooks/faulty.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/str.h"

#include <stdio.h>

/* One request that a fault struck, until its time has come. */
struct held {
    struct held                  *prev, *next;
    struct faulty                *f;
    const struct http_client_ask *ask;
    struct fault_hit              hit;
    struct mono                   began;
    struct loop_timer             timer;
};

struct faulty {
    struct loop        *loop;
    struct http_client *client;
    struct held        *first;
};

enum err faulty_new(struct faulty **out, struct loop *loop, struct http_client *client)
{
    struct faulty *f = calloc(1, sizeof *f);
    if (!f)
        return ERR_NOMEM;
    f->loop = loop;
    f->client = client;
    *out = f;
    return ERR_NONE;
}

static void held_free(struct held *h)
{
    if (h->prev)
        h->prev->next = h->next;
    else
        h->f->first = h->next;
    if (h->next)
        h->next->prev = h->prev;
    loop_timer_done(&h->timer);
    free(h);
}

/* The request goes on, or ends, and `h` with it. */
static void end(struct held *h, enum err err, const char *words)
{
    const struct http_client_ask *ask = h->ask;
    struct http_client_answer answer = { .err = err, .status = err ? 0 : h->hit.code, .took_us = clock_mono().us - h->began.us };
    snprintf(answer.words, sizeof answer.words, "%s (fault %u)", words, h->hit.id);
    held_free(h);
    ask->done(ask->arg, &answer);
}

static void on_due(void *arg)
{
    struct held *h = arg;
    const struct http_client_ask *ask = h->ask;
    switch (h->hit.kind) {
    case FAULT_WEBHOOK_REFUSED:
        end(h, ERR_IO, "connection refused");
        return;
    case FAULT_WEBHOOK_TIMEOUT:
        end(h, ERR_TIMEOUT, "no answer in time");
        return;
    case FAULT_WEBHOOK_STATUS:
        end(h, ERR_NONE, "answered");
        return;
    default:
        if (http_client_begin(h->f->client, ask))
            end(h, ERR_NOMEM, "out of memory");
        else
            held_free(h);
        return;
    }
}

/* "aeg-subscription-name: NAME" among the headers. */
static struct str subscription_of(const struct http_client_ask *ask)
{
    static const struct str name = { "aeg-subscription-name:", 22 };
    for (const char *const *h = ask->headers; h && *h; h++)
        if (str_starts(str_of(*h), name))
            return str_trim(str_from(str_of(*h), name.n));
    return (struct str){ NULL, 0 };
}

static int64_t held_for(const struct http_client_ask *ask, const struct fault_hit *hit)
{
    if (hit->kind == FAULT_WEBHOOK_TIMEOUT || hit->delay_us > ask->timeout_us)
        return ask->timeout_us;
    return hit->kind == FAULT_WEBHOOK_REFUSED ? 0 : hit->delay_us;
}

static enum err hold(struct faulty *f, const struct http_client_ask *ask, const struct fault_hit *hit)
{
    struct held *h = calloc(1, sizeof *h);
    if (!h || loop_timer_init(f->loop, &h->timer, on_due, h)) {
        free(h);
        return ERR_NOMEM;
    }
    h->f = f;
    h->ask = ask;
    h->hit = *hit;
    h->began = clock_mono();
    h->next = f->first;
    if (h->next)
        h->next->prev = h;
    f->first = h;
    if (hit->delay_us > ask->timeout_us)
        h->hit.kind = FAULT_WEBHOOK_TIMEOUT;
    loop_timer_start(&h->timer, held_for(ask, hit));
    return ERR_NONE;
}

enum err faulty_begin(struct faulty *f, const struct http_client_ask *ask)
{
    static const uint64_t kinds = FAULT_BIT(WEBHOOK_STATUS) | FAULT_BIT(WEBHOOK_DELAY) | FAULT_BIT(WEBHOOK_REFUSED)
                                  | FAULT_BIT(WEBHOOK_TIMEOUT);
    struct fault_hit hit;
    if (!fault_armed(kinds))
        return http_client_begin(f->client, ask);
    struct fault_subject subject = { .url = str_of(ask->url), .subscription = subscription_of(ask) };
    return fault_strikes(kinds, &subject, &hit) ? hold(f, ask, &hit) : http_client_begin(f->client, ask);
}

void faulty_free(struct faulty *f)
{
    if (!f)
        return;
    while (f->first)
        end(f->first, ERR_CLOSED, "the server is stopping");
    free(f);
}
