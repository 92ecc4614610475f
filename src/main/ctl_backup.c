/* backup: a copy of a data folder whose server may run: the database as it was at one moment, the keys, the certificates. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "main/ctl_priv.h"
#include "store/db.h"

enum { SMALL_FILE = 1 << 20 };

static int failed(const char *path)
{
    return ctl_usage(NULL, "%s: %s", path, strerror(errno));
}

/* A key or a certificate; one that is not there is left out. */
static int copy_small(const struct ctl *c, const char *to, const char *name)
{
    const char *from_path = arena_printf(c->arena, "%s/%s", ctl_data(c), name).p;
    const char *to_path = arena_printf(c->arena, "%s/%s", to, name).p;
    struct problem why = { 0 };
    struct stat is;
    char *text = NULL;
    size_t n;
    enum err err = stat(from_path, &is) ? ERR_ABSENT : file_read_whole(from_path, SMALL_FILE, &text, &n);
    if (err == ERR_ABSENT)
        return CTL_OK;
    if (!err)
        err = file_write_whole(to_path, (struct str){ text, n }, is.st_mode & 0777, &why);
    free(text);
    return err ? ctl_usage(NULL, "%s: %s", from_path, why.text[0] ? why.text : err_words(err)) : CTL_OK;
}

static int copy_folder(const struct ctl *c, const char *to, const char *name)
{
    const char *from_path = arena_printf(c->arena, "%s/%s", ctl_data(c), name).p;
    const char *to_path = arena_printf(c->arena, "%s/%s", to, name).p;
    DIR *folder = opendir(from_path);
    int rc = CTL_OK;
    if (!folder)
        return CTL_OK;
    if (mkdir(to_path, 0700))
        rc = failed(to_path);
    for (struct dirent *entry; !rc && (entry = readdir(folder));)
        if (entry->d_name[0] != '.')
            rc = copy_small(c, to, arena_printf(c->arena, "%s/%s", name, entry->d_name).p);
    closedir(folder);
    return rc;
}

static int backup(struct ctl *c)
{
    static const char *const files[] = { "id.key", "operator.key" };
    const char *to = c->args[0];
    const char *from_path = arena_printf(c->arena, "%s/carterfone.db", ctl_data(c)).p;
    const char *to_path = arena_printf(c->arena, "%s/carterfone.db", to).p;
    struct problem why = { 0 };
    struct stat is;
    if (stat(from_path, &is))
        return ctl_usage(NULL, "%s: %s; --data DIR says where the server keeps its data", from_path, strerror(errno));
    if (mkdir(to, 0700))
        return errno == EEXIST ? ctl_usage(NULL, "%s is there already: name a folder to be made", to) : failed(to);
    if (db_copy_file(from_path, to_path, &why))
        return ctl_usage(NULL, "%s", why.text);
    if (chmod(to_path, 0600) || stat(to_path, &is))
        return failed(to_path);
    int rc = CTL_OK;
    for (size_t i = 0; !rc && i < ARRAY_LEN(files); i++)
        rc = copy_small(c, to, files[i]);
    if (!rc)
        rc = copy_folder(c, to, "tls");
    if (rc || ctl_say_json(c, arena_printf(c->arena, "{\"databaseOctets\":%lld}", (long long)is.st_size)))
        return rc;
    ctl_say(c, "backed up %s to %s: %lld octets of database, the keys and certificates\nIt holds secrets. To use it:  carterfone serve "
            "--data %s", ctl_data(c), to, (long long)is.st_size, to);
    return CTL_OK;
}

const struct ctl_command ctl_backup_commands[] = {
    { "backup", "", "FOLDER", 1, 1, NULL, backup, "copy the data of a server, running or not, into a new folder" },
    { 0 },
};
