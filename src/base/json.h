/* json.h - reading JSON strictly (jansson behind it) and writing it as a stream.
 *
 * Reading: RFC 8259, no duplicate keys, depth and size bounded by the caller's limit; `null` means absent, as the
 * official SDKs have it. A struct json borrows from its document. Thread: the document's owner. */
#pragma once
#include "base/arena.h"
#include "base/base.h"
#include "base/buf.h"
#include "base/problem.h"

struct json_doc;
struct json;                                            /* a value inside a document */

/** @param why  filled with the position on ERR_SYNTAX  @return ERR_NONE, ERR_SYNTAX, ERR_NOMEM */
MUST_USE enum err json_read(struct json_doc **out, struct str text, struct problem *why);
void json_doc_free(struct json_doc *doc);
SCOPED_FREE(json_doc)
const struct json *json_root(const struct json_doc *doc);

enum json_kind { JSON_IS_ABSENT, JSON_IS_OBJECT, JSON_IS_ARRAY, JSON_IS_TEXT, JSON_IS_INTEGER, JSON_IS_REAL, JSON_IS_BOOL };
enum json_kind json_kind(const struct json *j);         /* NULL and null are JSON_IS_ABSENT */

/* A missing member, or one of another type, gives NULL / false / the default: check json_kind() where it matters. */
const struct json *json_member(const struct json *object, const char *name);
const struct json *json_item(const struct json *array, size_t i);
size_t json_count(const struct json *array_or_object);
struct str json_text(const struct json *j);             /* NUL-terminated; {NULL,0} when not text */
int64_t json_int(const struct json *j, int64_t otherwise);
bool json_bool(const struct json *j, bool otherwise);
double json_number(const struct json *j, double otherwise);
/** Walk an object's members: start with *at = NULL; false at the end. */
bool json_next(const struct json *object, void **at, struct str *name, const struct json **value);

/* Shorthands for members. */
struct str json_text_of(const struct json *object, const char *name);
int64_t json_int_of(const struct json *object, const char *name, int64_t otherwise);
bool json_bool_of(const struct json *object, const char *name, bool otherwise);

/* Filling a struct from an object by a table. Text fields are struct str, copied into the arena and NUL-terminated;
 * an absent optional field stays as it was. Unknown members are ignored (a newer SDK's field must not break us). */
enum json_field_kind { JF_TEXT, JF_INT, JF_BOOL, JF_JSON };
struct json_field {
    const char          *name;
    enum json_field_kind kind;
    size_t               offset;
    bool                 needed;
    int64_t              min, max;      /* JF_TEXT: UTF-16 units; JF_INT: value */
};
#define JSON_TEXT_FIELD(type, member, name, needed, min, max) { name, JF_TEXT, offsetof(type, member), needed, min, max }
#define JSON_INT_FIELD(type, member, name, needed, min, max)  { name, JF_INT,  offsetof(type, member), needed, min, max }
#define JSON_BOOL_FIELD(type, member, name, needed)           { name, JF_BOOL, offsetof(type, member), needed, 0, 0 }
#define JSON_ANY_FIELD(type, member, name, needed)            { name, JF_JSON, offsetof(type, member), needed, 0, 0 }

/** int fields are int64_t, bool fields bool, JF_JSON fields const struct json * (borrowed).
 *  @return ERR_RANGE with `why` (code "BadRequest", target the member), ERR_NOMEM */
MUST_USE enum err json_fill(const struct json *object, const struct json_field *fields, size_t n, void *into,
                            struct arena *a, struct problem *why);

/* For bodies that are read by hand: what a member must be if it is there. */
struct json_shape {
    const char    *path;            /* names with dots between, parents before their members */
    enum json_kind kind;            /* JSON_IS_REAL: any number */
};
/** A wrong type is said, not taken for absence.
 *  @return ERR_NONE, ERR_RANGE with `why` (code "BadRequest", target the path) */
MUST_USE enum err json_expect(const struct json *object, const struct json_shape *shapes, size_t n, struct problem *why);

/* Writing. Members take a name inside an object and NULL inside an array. Commas and escapes are the writer's. */
struct jw {
    struct buf *b;
    uint32_t    depth;
    uint64_t    filled;         /* bit d: the container at depth d has a member already */
    uint64_t    arrays;         /* bit d: it is an array */
};
struct jw jw_of(struct buf *b);
void jw_object(struct jw *w, const char *name);
void jw_array(struct jw *w, const char *name);
void jw_end(struct jw *w);                              /* closes the innermost */
void jw_text(struct jw *w, const char *name, struct str v);
void jw_textz(struct jw *w, const char *name, const char *v);   /* NULL writes null */
void jw_int(struct jw *w, const char *name, int64_t v);
void jw_bool(struct jw *w, const char *name, bool v);
void jw_null(struct jw *w, const char *name);
void jw_micro(struct jw *w, const char *name, int64_t micro);   /* 1500000 -> 1.5 */
void jw_time(struct jw *w, const char *name, int64_t us);       /* ISO 8601, the service's form */
void jw_raw(struct jw *w, const char *name, struct str json);   /* already JSON */
void jw_printf(struct jw *w, const char *name, const char *format, ...) PRINTF(3, 4);   /* as text */
void jw_json(struct jw *w, const char *name, const struct json *v);
