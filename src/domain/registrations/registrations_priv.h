/* registrations_priv.h - what the files of domain/registrations share. Thread: control. */
#pragma once
#include "base/map.h"
#include "domain/registrations/registrations.h"
#include "domain/rules.h"
#include "store/briefs.h"

struct registrations {
    struct control *control;
    struct numbers *numbers;
    struct map     *places;             /* resource -> struct place, owned */
    struct entry   *first, **last;      /* of all, by rising key */
};

struct place {
    struct entry *first, **last;        /* of a resource, by rising key */
    size_t        counts[2];            /* by kind */
};

struct entry {
    struct brief          pub;          /* its texts are owned */
    struct registrations *r;
    struct entry         *next, *next_here;
    bool                  committed;    /* clients know it */
    bool                  busy;         /* a change is being committed */
    const struct brief   *coming;       /* what that change makes of it; NULL: none is, or it goes with its resource */
};

/* One unit on its way to disk, and what the brief will be behind it. */
struct change {
    struct db_done        done;
    struct registrations *r;
    struct entry         *entry;
    struct brief          next;         /* its texts are owned */
    bool                  creates, removes, made_part;
    brief_done_fn        *then;
    void                 *arg;
};

/* registrations.c: the objects, and looking */
void brief_texts_free(struct brief *b);
/** A resource's; made when it is not there. @return ERR_NOMEM */
MUST_USE enum err place_of(struct registrations *r, uint64_t resource, struct place **out);
void entry_link(struct place *p, struct entry *e);
/** Out of its lists, and gone. */
void entry_drop(struct entry *e);
/** The digits that its content lists. @return ERR_SYNTAX, ERR_NOMEM */
MUST_USE enum err brief_numbers_read(struct brief *b);
/** One in the place of another of its id, or behind the others, up to BRIEF_ATTACHMENTS_MAX. */
void brief_attachment_put(struct brief *b, const struct brief_attachment *a);
/** In lower case. @return ERR_RANGE with `why`, whose target is the field */
MUST_USE enum err brief_id_read(struct str given, const char *field, char id[GUID_SIZE], struct problem *why);
const char *brief_id_field(enum brief_kind kind);
/** Of whatever state. NULL: none */
struct entry *entry_find(const struct registrations *r, uint64_t resource, enum brief_kind kind, const char *id);
/** What a client may know of: it is on disk, and of that country. @return ERR_RANGE, ERR_ABSENT with `why` */
MUST_USE enum err entry_known(const struct registrations *r, const struct brief_ref *ref, struct entry **out,
                              struct problem *why);
bool brief_lists_number(const struct brief *b, uint64_t digits);
/** What an event makes of it. @return ERR_CONFLICT with `why` */
MUST_USE enum err brief_next_state(const struct brief *b, enum brief_event on, enum brief_state *to, struct problem *why);

/* changing.c: one change on its way to disk */
/** A copy to be changed. @return ERR_BUSY with `why` (another one is on its way), ERR_NOMEM */
MUST_USE enum err brief_change_new(struct entry *e, brief_done_fn *then, void *arg, struct change **out, struct problem *why);
void brief_change_free(struct change *c);
/** Takes both, and the entry that it creates when it cannot be posted. @return ERR_BUSY, ERR_NOMEM with `why` */
MUST_USE enum err brief_change_post(struct change *c, struct db_unit *u, struct problem *why);
/** The brief's row as it will be. NULL: out of memory */
struct db_unit *brief_unit(const struct change *c);
