/* metric.h - counters and gauges, written in Prometheus' text format by /metrics.
 *
 * Any thread. A metric is a static object beside the code that counts; METRIC_* registers it before main(). */
#pragma once
#include "base/base.h"
#include "base/buf.h"

#include <stdatomic.h>

struct metric {
    const char     *name;       /* carterfone_<area>_<what>[_<unit>]_total for counters */
    const char     *help;
    bool            gauge;
    _Atomic int64_t value;
    struct metric  *next;
};

void metric_register(struct metric *m);
static inline void metric_add(struct metric *m, int64_t n)
{
    atomic_fetch_add_explicit(&m->value, n, memory_order_relaxed);
}
static inline void metric_set(struct metric *m, int64_t v)
{
    atomic_store_explicit(&m->value, v, memory_order_relaxed);
}
void metric_write_all(struct buf *out);

#define METRIC_DEFINE_(var, name_, is_gauge, help_)                                         \
    static struct metric var = { .name = name_, .help = help_, .gauge = is_gauge };         \
    __attribute__((constructor)) static void var##_register(void) { metric_register(&var); }
#define METRIC_COUNTER(var, name, help) METRIC_DEFINE_(var, name, false, help)
#define METRIC_GAUGE(var, name, help)   METRIC_DEFINE_(var, name, true, help)
