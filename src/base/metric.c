#include "base/metric.h"

static struct metric *all;      /* filled by constructors, before any thread */

void metric_register(struct metric *m)
{
    m->next = all;
    all = m;
}

void metric_write_all(struct buf *out)
{
    for (const struct metric *m = all; m; m = m->next)
        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %lld\n", m->name, m->help, m->name,
                   m->gauge ? "gauge" : "counter", m->name, (long long)m->value);
}
