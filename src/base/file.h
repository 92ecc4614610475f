/* file.h - small files read and written whole: keys, certificates, the ready file.
 *
 * Any thread; it blocks, so not control's. A reader of a written file sees the old one or the new one, never a part. */
#pragma once
#include "base/base.h"
#include "base/problem.h"

/** Write beside it first, sync, rename, sync the folder.
 *  @param mode  exactly this, whatever the umask  @return ERR_IO with `why` */
MUST_USE enum err file_write_whole(const char *path, struct str text, unsigned mode, struct problem *why);

/** @param most  octets; a longer file is refused
 *  @param out   the caller frees it; a NUL follows the last octet
 *  @return ERR_ABSENT (no such file), ERR_SIZE, ERR_IO (errno says why; EINVAL: no plain file), ERR_NOMEM */
MUST_USE enum err file_read_whole(const char *path, size_t most, char **out, size_t *size);
