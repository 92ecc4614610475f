/* tmp.h - a folder of a test's own, removed with all that is in it. */
#pragma once
#include "base/base.h"

#include <ftw.h>
#include <stdio.h>
#include <unistd.h>

struct tmp { char path[64]; };

static inline struct tmp tmp_new(void)
{
    struct tmp t = { "/tmp/carterfone-test-XXXXXX" };
    if (!mkdtemp(t.path))
        abort();
    return t;
}

/** The path of a file in it; good until the next call. */
static inline const char *tmp_file(const struct tmp *t, const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", t->path, name);
    return path;
}

static inline int tmp_remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static inline void tmp_free(struct tmp *t)
{
    nftw(t->path, tmp_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
