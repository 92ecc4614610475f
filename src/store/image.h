/* image.h - how the store thread makes a copy of the database, and a start takes one in; db.h says what it is for. */
#pragma once
#include "store/store_priv.h"

/** @param path  of the file, which replaces one that is there; NULL: in memory, *out is set  @param also  run in the copy; may be NULL
 *  @return ERR_STORE, ERR_IO, ERR_NOMEM: no file is left */
MUST_USE enum err image_make(struct conn *from, const char *path, const struct db_unit *also, struct db_image **out);
struct conn *image_conn(struct db_image *image);
