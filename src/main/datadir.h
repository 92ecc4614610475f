/* datadir.h - the files under DATA: one server at a time, the keys it keeps, what it writes for others.
 *
 * Thread: the process's first, at start and end. Files that hold a secret are 0600, made whole or not at all. */
#pragma once
#include "base/base.h"
#include "base/id.h"
#include "base/problem.h"

enum { OPERATOR_KEY_OCTETS = 32, DATADIR_PATH_SIZE = 1200 };

struct datadir {
    char    path[1024];                     /* empty: in memory, nothing on disk */
    int     lock_fd;
    uint8_t id_key[ID_KEY_OCTETS];          /* DATA/id.key */
    uint8_t operator_key[OPERATOR_KEY_OCTETS];      /* DATA/operator.key, base64 in the file */
};

/** Make the folder and the keys where they are missing, take the lock.
 *  @param in_memory  draw keys (the operator's may be given: CARTERFONE_OPERATOR_KEY), touch no disk
 *  @return ERR_CONFLICT (another server uses it), ERR_IO, ERR_SYNTAX (a damaged key file), with `why` */
MUST_USE enum err datadir_open(struct datadir *d, const char *path, bool in_memory, struct problem *why);
void datadir_close(struct datadir *d);
/** DATA/name into dst. */
void datadir_path(const struct datadir *d, const char *name, char dst[DATADIR_PATH_SIZE]);
