#include "main/snapshot_shelf.h"
#include "base/clock.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char SUFFIX[] = ".snapshot";

/* One that is kept in memory. */
struct kept {
    struct kept     *next;
    char             name[SNAPSHOT_NAME_MAX + 1];
    int64_t          taken_us;          /* wall */
    struct db_image *image;
};

struct shelf {
    const struct datadir *dir;
    struct kept          *kept;         /* the newest first */
};

enum err shelf_new(struct shelf **out, const struct datadir *dir)
{
    struct shelf *s = calloc(1, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    s->dir = dir;
    *out = s;
    return ERR_NONE;
}

static void kept_drop(struct kept **at)
{
    struct kept *k = *at;
    *at = k->next;
    db_image_free(k->image);
    free(k);
}

void shelf_free(struct shelf *s)
{
    if (!s)
        return;
    while (s->kept)
        kept_drop(&s->kept);
    free(s);
}

bool shelf_on_disk(const struct shelf *s)
{
    return s->dir->path[0] != '\0';
}

void shelf_path(const struct shelf *s, const char *name, char path[DATADIR_PATH_SIZE])
{
    char file[SNAPSHOT_NAME_MAX + 32];
    snprintf(file, sizeof file, "snapshots/%s%s", name, SUFFIX);
    datadir_path(s->dir, file, path);
}

enum err shelf_prepare(struct shelf *s)
{
    char path[DATADIR_PATH_SIZE];
    datadir_path(s->dir, "snapshots", path);
    return shelf_on_disk(s) && mkdir(path, 0700) && errno != EEXIST ? ERR_IO : ERR_NONE;
}

static struct kept *kept_find(const struct shelf *s, const char *name)
{
    struct kept *k = s->kept;
    while (k && strcmp(k->name, name))
        k = k->next;
    return k;
}

bool shelf_has(const struct shelf *s, const char *name)
{
    char path[DATADIR_PATH_SIZE];
    shelf_path(s, name, path);
    return shelf_on_disk(s) ? access(path, F_OK) == 0 : kept_find(s, name) != NULL;
}

enum err shelf_put(struct shelf *s, const char *name, struct db_image *image)
{
    struct kept *k = calloc(1, sizeof *k);
    if (!k)
        return ERR_NOMEM;
    (void)!shelf_drop(s, name);
    *k = (struct kept){ .next = s->kept, .taken_us = clock_wall_us(), .image = image };
    str_copyz(k->name, sizeof k->name, str_of(name));
    s->kept = k;
    return ERR_NONE;
}

struct db_image *shelf_image(const struct shelf *s, const char *name)
{
    const struct kept *k = kept_find(s, name);
    return k ? k->image : NULL;
}

enum err shelf_drop(struct shelf *s, const char *name)
{
    char path[DATADIR_PATH_SIZE];
    struct kept **k = &s->kept;
    shelf_path(s, name, path);
    if (shelf_on_disk(s))
        return unlink(path) ? ERR_ABSENT : ERR_NONE;
    while (*k && strcmp((*k)->name, name))
        k = &(*k)->next;
    if (!*k)
        return ERR_ABSENT;
    kept_drop(k);
    return ERR_NONE;
}

/* -- telling ---------------------------------------------------------------------------------------------------------- */

/* The next of the folder that somebody is shown. */
static bool next_name(DIR *dir, char name[SNAPSHOT_NAME_MAX + 1])
{
    const size_t suffix = sizeof SUFFIX - 1;
    for (struct dirent *e; dir && (e = readdir(dir));) {
        struct str file = str_of(e->d_name);
        if (file.n <= suffix || !str_ends(file, str_of(SUFFIX)) || file.n - suffix > SNAPSHOT_NAME_MAX || file.p[0] == '.')
            continue;
        str_copyz(name, SNAPSHOT_NAME_MAX + 1, (struct str){ file.p, file.n - suffix });
        return true;
    }
    return false;
}

static DIR *folder_open(const struct shelf *s)
{
    char path[DATADIR_PATH_SIZE];
    datadir_path(s->dir, "snapshots", path);
    return opendir(path);
}

static size_t shown(const struct shelf *s)
{
    char name[SNAPSHOT_NAME_MAX + 1];
    size_t n = 0;
    for (const struct kept *k = s->kept; k; k = k->next)
        n += k->name[0] != '.';
    DIR *dir = shelf_on_disk(s) ? folder_open(s) : NULL;
    while (next_name(dir, name))
        n++;
    if (dir)
        closedir(dir);
    return n;
}

bool shelf_has_room(const struct shelf *s, const char *name, int *max)
{
    *max = shelf_on_disk(s) ? SNAPSHOTS_ON_DISK : SNAPSHOTS_IN_MEMORY;
    return shelf_has(s, name) || shown(s) < (size_t)*max;
}

static void write_members(struct jw *w, const char *name, int64_t taken_us, int64_t octets)
{
    jw_textz(w, "name", name);
    jw_time(w, "takenAt", taken_us);
    if (octets >= 0)
        jw_int(w, "octets", octets);
    else
        jw_null(w, "octets");
}

static void write_one(struct jw *w, const char *name, int64_t taken_us, int64_t octets)
{
    jw_object(w, NULL);
    write_members(w, name, taken_us, octets);
    jw_end(w);
}

static void list_folder(const struct shelf *s, struct jw *w)
{
    char path[DATADIR_PATH_SIZE], name[SNAPSHOT_NAME_MAX + 1];
    struct stat st;
    DIR *dir = folder_open(s);
    while (next_name(dir, name)) {
        shelf_path(s, name, path);
        if (stat(path, &st) == 0)
            write_one(w, name, (int64_t)st.st_mtime * US_PER_S, (int64_t)st.st_size);
    }
    if (dir)
        closedir(dir);
}

void shelf_list(const struct shelf *s, struct jw *w)
{
    if (shelf_on_disk(s))
        list_folder(s, w);
    for (const struct kept *k = s->kept; k; k = k->next)
        if (k->name[0] != '.')
            write_one(w, k->name, k->taken_us, -1);
}

void shelf_write(const struct shelf *s, const char *name, struct jw *w)
{
    char path[DATADIR_PATH_SIZE];
    struct stat st = { 0 };
    shelf_path(s, name, path);
    write_members(w, name, clock_wall_us(), shelf_on_disk(s) && stat(path, &st) == 0 ? (int64_t)st.st_size : -1);
}
