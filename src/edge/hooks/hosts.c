#include "edge/hooks/hosts.h"
#include "base/log.h"
#include "base/map.h"
#include "base/str.h"

enum sort { QUICK, SLOW, SORTS };
enum { HOST_SHARE = 8, SLOW_SHARE = 2, FAILED_SHARE = 64,   /* of what may wait in all: one host, all slow ones, one that failed */
       FAILED_LEAST = 16, LATE_SHARE = 4, IDLE_KEPT = 2048 };

struct host {
    struct turn *first, **last;         /* waiting, in order of arrival */
    size_t       n_waiting, octets;
    unsigned     n_active;
    enum sort    sort;
    bool         proven;                /* the last request that ended was answered */
    bool         failed;                /* it was not */
    bool         in_turn, over;
    struct host *next_turn, *next_over;
    struct host *older, *newer;         /* among the idle */
    bool         idle;
    void        *memo;
    struct str   name;                  /* behind the struct */
    char         bytes[];
};

struct hosts {
    struct hosts_conf conf;
    struct strmap    *by_name;
    struct host      *turn[SORTS], **turn_end[SORTS];   /* hosts that may start one more, in turn */
    struct host      *over;                             /* hosts with too much in their line */
    struct host      *idle_first, *idle_last;           /* from the one idle longest */
    size_t            n_idle;
    unsigned          n_active[SORTS];
    size_t            n_waiting[SORTS], octets[SORTS];
    struct turn      *in_time, **in_time_end;           /* under way, the oldest first; late ones are not in it */
};

/* -- lines --------------------------------------------------------------------------------------------------------- */

static unsigned limit_of(const struct hosts *h, const struct host *host)
{
    unsigned late = h->conf.per_host / LATE_SHARE;
    return !host->proven ? 1 : host->sort == QUICK ? h->conf.per_host : late ? late : 1;
}

/* Does this host's line hold more than it may, were there `n` and `octets` more? */
static bool is_over(const struct hosts *h, const struct host *host, size_t n, size_t octets)
{
    size_t most = h->conf.waiting_max / (host->failed ? FAILED_SHARE : HOST_SHARE), least = host->failed ? FAILED_LEAST : 1;
    size_t wide = h->conf.octets_max / (host->failed ? FAILED_SHARE : HOST_SHARE);
    if (host->n_waiting + n > (most > least ? most : least))
        return true;
    if (host->octets + octets > wide && host->n_waiting + n > 1)        /* the only one may be of any size */
        return true;
    return host->sort == SLOW && host->n_waiting + n > 1
        && (h->n_waiting[SLOW] + n > h->conf.waiting_max / SLOW_SHARE || h->octets[SLOW] + octets > h->conf.octets_max / SLOW_SHARE);
}

static void take_turn(struct hosts *h, struct host *host)
{
    if (host->in_turn || !host->first || host->n_active >= limit_of(h, host))
        return;
    host->in_turn = true;
    host->next_turn = NULL;
    *h->turn_end[host->sort] = host;
    h->turn_end[host->sort] = &host->next_turn;
}

static struct host *leave_turn(struct hosts *h, enum sort sort)
{
    struct host *host = h->turn[sort];
    h->turn[sort] = host->next_turn;
    if (!h->turn[sort])
        h->turn_end[sort] = &h->turn[sort];
    host->in_turn = false;
    return host;
}

/* Take out of the line. */
static void leave_line(struct hosts *h, struct host *host, struct turn *t)
{
    *t->at = t->next;
    if (t->next)
        t->next->at = t->at;
    else
        host->last = t->at;
    host->n_waiting--;
    host->octets -= t->octets;
    h->n_waiting[host->sort]--;
    h->octets[host->sort] -= t->octets;
}

static void leave_in_time(struct hosts *h, struct turn *t)
{
    if (!t->at)
        return;
    *t->at = t->next;
    if (t->next)
        t->next->at = t->at;
    else
        h->in_time_end = t->at;
    t->at = NULL;
}

/* -- which sort it is ---------------------------------------------------------------------------------------------- */

static void become(struct hosts *h, struct host *host, enum sort sort)
{
    if (host->sort != sort) {
        h->n_active[host->sort] -= host->n_active;
        h->n_waiting[host->sort] -= host->n_waiting;
        h->octets[host->sort] -= host->octets;
        h->n_active[sort] += host->n_active;
        h->n_waiting[sort] += host->n_waiting;
        h->octets[sort] += host->octets;
        host->sort = sort;
    }
    if (!host->over && is_over(h, host, 0, 0)) {
        host->over = true;
        host->next_over = h->over;
        h->over = host;
    }
}

static void judge(struct hosts *h, struct host *host, bool late, bool answered)
{
    if (host->failed == answered)
        log_info("hooks", STR_FMT " %s", STR_ARG(host->name), answered ? "answers again" : "does not answer; one request at a time");
    host->failed = !answered;
    host->proven = answered;
    become(h, host, late || !answered ? SLOW : QUICK);
}

int64_t hosts_look(struct hosts *h, struct mono now)
{
    for (struct turn *t; (t = h->in_time);) {
        int64_t left = t->began.us + h->conf.late_us - now.us;
        if (left > 0)
            return left;
        leave_in_time(h, t);
        become(h, t->host, SLOW);
    }
    return -1;
}

/* -- hosts that are idle are remembered for a while ---------------------------------------------------------------- */

static void leave_idle(struct hosts *h, struct host *host)
{
    if (!host->idle)
        return;
    *(host->older ? &host->older->newer : &h->idle_first) = host->newer;
    *(host->newer ? &host->newer->older : &h->idle_last) = host->older;
    host->idle = false;
    h->n_idle--;
}

static void host_free(struct hosts *h, struct host *host)
{
    if (h->conf.forget && host->memo)
        h->conf.forget(host->memo);
    free(host);
}

static void rest(struct hosts *h, struct host *host)
{
    if (host->n_active || host->first || host->in_turn || host->over || host->idle)
        return;
    host->older = h->idle_last;
    host->newer = NULL;
    *(host->older ? &host->older->newer : &h->idle_first) = host;
    h->idle_last = host;
    host->idle = true;
    if (++h->n_idle <= IDLE_KEPT)
        return;
    struct host *gone = h->idle_first;
    leave_idle(h, gone);
    strmap_take(h->by_name, gone->name);
    host_free(h, gone);
}

static struct host *host_of(struct hosts *h, struct str name)
{
    struct host *host = strmap_find(h->by_name, name);
    if (host) {
        leave_idle(h, host);
        return host;
    }
    host = calloc(1, sizeof *host + name.n + 1);
    if (!host)
        return NULL;
    host->last = &host->first;
    memcpy(host->bytes, name.p, name.n);
    host->name = (struct str){ host->bytes, name.n };
    if (strmap_put(h->by_name, name, host)) {
        free(host);
        return NULL;
    }
    return host;
}

/* -- a request's life ---------------------------------------------------------------------------------------------- */

enum err hosts_line_up(struct hosts *h, struct str name, struct turn *t, size_t octets)
{
    struct host *host = host_of(h, name);
    if (!host)
        return ERR_NOMEM;
    if (is_over(h, host, 1, octets)) {
        rest(h, host);
        return ERR_BUSY;
    }
    *t = (struct turn){ .host = host, .octets = octets, .at = host->last };
    *host->last = t;
    host->last = &t->next;
    host->n_waiting++;
    host->octets += octets;
    h->n_waiting[host->sort]++;
    h->octets[host->sort] += octets;
    take_turn(h, host);
    return ERR_NONE;
}

static struct turn *begin(struct hosts *h, struct host *host, struct mono now)
{
    struct turn *t = host->first;
    leave_line(h, host, t);
    host->n_active++;
    h->n_active[host->sort]++;
    t->began = now;
    t->next = NULL;
    t->at = h->in_time_end;
    *h->in_time_end = t;
    h->in_time_end = &t->next;
    take_turn(h, host);
    return t;
}

struct turn *hosts_next(struct hosts *h, struct mono now)
{
    const unsigned most[SORTS] = { h->conf.quick_max, h->conf.slow_max };
    for (enum sort sort = QUICK; sort < SORTS; sort++)
        while (h->turn[sort] && h->n_active[sort] < most[sort]) {
            struct host *host = leave_turn(h, sort);
            if (host->sort != sort || !host->first || host->n_active >= limit_of(h, host)) {
                take_turn(h, host);     /* it has changed since */
                rest(h, host);
                continue;
            }
            return begin(h, host, now);
        }
    return NULL;
}

static void ended(struct hosts *h, struct turn *t)
{
    leave_in_time(h, t);
    t->host->n_active--;
    h->n_active[t->host->sort]--;
}

void hosts_ended(struct hosts *h, struct turn *t, struct mono now, bool answered)
{
    struct host *host = t->host;
    ended(h, t);
    judge(h, host, now.us - t->began.us >= h->conf.late_us, answered);
    take_turn(h, host);
    rest(h, host);
}

void hosts_undone(struct hosts *h, struct turn *t)
{
    struct host *host = t->host;
    ended(h, t);
    take_turn(h, host);
    rest(h, host);
}

struct turn *hosts_over(struct hosts *h)
{
    for (struct host *host; (host = h->over);) {
        if (host->first && is_over(h, host, 0, 0)) {
            struct turn *newest = container_of(host->last, struct turn, next);
            leave_line(h, host, newest);
            return newest;
        }
        h->over = host->next_over;
        host->over = false;
        rest(h, host);
    }
    return NULL;
}

struct turn *hosts_drain(struct hosts *h)
{
    struct str name;
    void *value;
    for (size_t at = 0; strmap_next(h->by_name, &at, &name, &value);) {
        struct host *host = value;
        struct turn *t = host->first;
        if (t) {
            leave_line(h, host, t);
            return t;
        }
    }
    return NULL;
}

/* -- life ---------------------------------------------------------------------------------------------------------- */

enum err hosts_new(struct hosts **out, const struct hosts_conf *conf)
{
    scoped(hosts) struct hosts *h = calloc(1, sizeof *h);
    if (!h || !(h->by_name = strmap_new()))
        return ERR_NOMEM;
    h->conf = *conf;
    for (enum sort sort = QUICK; sort < SORTS; sort++)
        h->turn_end[sort] = &h->turn[sort];
    h->in_time_end = &h->in_time;
    *out = h;
    h = NULL;
    return ERR_NONE;
}

void hosts_free(struct hosts *h)
{
    struct str name;
    void *host;
    if (!h)
        return;
    for (size_t at = 0; h->by_name && strmap_next(h->by_name, &at, &name, &host);)
        host_free(h, host);
    strmap_free(h->by_name);
    free(h);
}

size_t hosts_waiting(const struct hosts *h)
{
    return h->n_waiting[QUICK] + h->n_waiting[SLOW];
}

size_t hosts_waiting_octets(const struct hosts *h)
{
    return h->octets[QUICK] + h->octets[SLOW];
}

void **host_memo(struct host *host)
{
    return &host->memo;
}
