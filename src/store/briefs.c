#include "store/briefs.h"

void brief_row_insert(struct db_unit *u, const struct brief_row *row)
{
    db_do(u, DB_BRIEF_INSERT, 1, DB_I(row->key), DB_I(row->resource), DB_I(row->kind), DB_T(row->guid), DB_T(row->country),
          DB_I(row->state), DB_T(row->number), DB_I(row->submitted_us), DB_I(row->updated_us), DB_T(row->content),
          DB_T(row->notes));
}

void brief_row_update(struct db_unit *u, const struct brief_row *row)
{
    db_do(u, DB_BRIEF_UPDATE, 1, DB_I(row->key), DB_I(row->state), DB_T(row->number), DB_I(row->submitted_us),
          DB_I(row->updated_us), DB_T(row->content), DB_T(row->notes));
}

void brief_row_delete(struct db_unit *u, uint64_t key)
{
    db_do(u, DB_BRIEF_ATTACHMENT_DELETE_ALL, DB_ANY_ROWS, DB_I(key));
    db_do(u, DB_BRIEF_DELETE, 1, DB_I(key));
}

void brief_rows_delete_of(struct db_unit *u, uint64_t resource)
{
    db_do(u, DB_BRIEF_ATTACHMENT_DELETE_OF_RESOURCE, DB_ANY_ROWS, DB_I(resource));
    db_do(u, DB_BRIEF_DELETE_OF_RESOURCE, DB_ANY_ROWS, DB_I(resource));
}

void brief_attachment_row_put(struct db_unit *u, const struct brief_attachment_row *row)
{
    db_do(u, DB_BRIEF_ATTACHMENT_PUT, 1, DB_I(row->brief), DB_T(row->guid), DB_T(row->type), DB_T(row->name),
          DB_T(row->file_type), DB_I(row->size), DB_T(row->content));
}

void brief_attachment_row_delete(struct db_unit *u, uint64_t brief, struct str guid)
{
    db_do(u, DB_BRIEF_ATTACHMENT_DELETE, 1, DB_I(brief), DB_T(guid));
}

/* -- reading -------------------------------------------------------------------------------------------------------- */

struct walk {
    enum err err;
    enum err (*brief)(void *arg, const struct brief_row *row);
    enum err (*attachment)(void *arg, const struct brief_attachment_row *row);
    void *arg;
};

static bool on_brief(void *arg, const struct db_rows *r)
{
    struct walk *w = arg;
    struct brief_row row = {
        .key = (uint64_t)db_int(r, 0),
        .resource = (uint64_t)db_int(r, 1),
        .kind = (int)db_int(r, 2),
        .guid = db_text(r, 3),
        .country = db_text(r, 4),
        .state = (int)db_int(r, 5),
        .number = db_text(r, 6),
        .submitted_us = db_int(r, 7),
        .updated_us = db_int(r, 8),
        .content = db_text(r, 9),
        .notes = db_text(r, 10),
    };
    w->err = w->brief(w->arg, &row);
    return !w->err;
}

static bool on_attachment(void *arg, const struct db_rows *r)
{
    struct walk *w = arg;
    struct brief_attachment_row row = {
        .brief = (uint64_t)db_int(r, 0),
        .guid = db_text(r, 1),
        .type = db_text(r, 2),
        .name = db_text(r, 3),
        .file_type = db_text(r, 4),
        .size = db_int(r, 5),
    };
    w->err = w->attachment(w->arg, &row);
    return !w->err;
}

enum err brief_rows_each(struct db *db, enum err (*fn)(void *arg, const struct brief_row *row), void *arg)
{
    struct walk w = { .brief = fn, .arg = arg };
    enum err err = db_each(db, DB_BRIEF_ALL, NULL, 0, on_brief, &w);
    return err ? err : w.err;
}

enum err brief_attachment_rows_each(struct db *db, enum err (*fn)(void *arg, const struct brief_attachment_row *row),
                                    void *arg)
{
    struct walk w = { .attachment = fn, .arg = arg };
    enum err err = db_each(db, DB_BRIEF_ATTACHMENT_ALL, NULL, 0, on_attachment, &w);
    return err ? err : w.err;
}

enum err brief_attachments_ask(struct db *db, uint64_t brief, struct str guid, int64_t skip, int64_t most,
                               struct db_read *read)
{
    const struct db_val vals[] = { DB_I(brief), DB_T(guid), DB_I(most), DB_I(skip) };
    return db_ask(db, DB_BRIEF_ATTACHMENT_READ, vals, ARRAY_LEN(vals), (size_t)most, read);
}

struct brief_attachment_row brief_attachment_row_of(const struct db_rows *r)
{
    return (struct brief_attachment_row){ .guid = db_text(r, 0), .type = db_text(r, 1), .name = db_text(r, 2),
                                          .file_type = db_text(r, 3), .size = db_int(r, 4), .content = db_text(r, 5) };
}
