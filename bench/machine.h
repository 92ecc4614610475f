/* machine.h - on what a figure was measured, printed at the head of every bench. */
#pragma once
#include "base/base.h"

#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

static inline void machine_print(const char *what, const char *method)
{
    char line[256], model[200] = "unknown processor";
    double load = 0;
    struct utsname os;
    FILE *f = fopen("/proc/cpuinfo", "r");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "model name : %199[^\n]", model) == 1)
            break;
    if (f)
        fclose(f);
    f = fopen("/proc/loadavg", "r");
    if (f && fscanf(f, "%lf", &load) != 1)
        load = -1;
    if (f)
        fclose(f);
    uname(&os);
    printf("%s\nmachine: %s, %ld cores, Linux %s, load before the run %.2f\nmethod:  %s\n\n", what, model,
           sysconf(_SC_NPROCESSORS_ONLN), os.release, load, method);
}

static inline int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/** Sorts in place. */
static inline double median(double *v, size_t n)
{
    qsort(v, n, sizeof *v, by_size);
    return n ? v[n / 2] : 0;
}
