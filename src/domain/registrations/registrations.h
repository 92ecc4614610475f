/* registrations.h - what a resource registers before it may send: toll-free verification (campaign briefs) and US short codes
 * (program briefs), and the decision that the operator makes of each here.
 *
 * Thread: control. Briefs are in memory, attachments' contents in the store alone. A change is seen once it is on disk; a
 * second change of the same brief meanwhile is ERR_BUSY. Ids are GUIDs of the client's choice, a resource's own. */
#pragma once
#include "base/json.h"
#include "base/problem.h"
#include "domain/control.h"
#include "domain/numbers/numbers.h"
#include "domain/registrations/brief_fields.h"
#include "store/briefs.h"

struct registrations;

enum {
    BRIEFS_MOST = 200,                          /* of a kind, a resource */
    BRIEF_ATTACHMENTS_MAX = 10, BRIEF_ATTACHMENT_OCTETS_MAX = 512 * 1024, BRIEF_NOTE_MAX = 1000, BRIEF_NOTES_MAX = 65536,
};

/* enum; the word of a campaign brief, of a program brief (NULL: never in it). Stored by position. */
#define BRIEF_STATES(S)                                                     \
    S(DRAFT,     "draft",           "draft")                                \
    S(SUBMITTED, "submitted",       "submitted")                            \
    S(RETURNED,  "updateRequested", "updateProgramBrief")                   \
    S(VANITY,    NULL,              "submitNewVanityNumbers")               \
    S(APPROVED,  "approved",        "approved")                             \
    S(DENIED,    "denied",          "denied")                               \
    S(CANCELLED, "cancelled",       NULL)
#define STATE_ENUM(name, campaign, program) BRIEF_##name,
enum brief_state { BRIEF_STATES(STATE_ENUM) BRIEF_STATE_COUNT };
#undef STATE_ENUM
const char *brief_state_word(enum brief_kind kind, enum brief_state state);

#define BRIEF_EVENTS(E)                                                     \
    E(EDIT)         /* the client changes it, or what is attached */        \
    E(SUBMIT)                                                               \
    E(REMOVE)       /* the client deletes it */                             \
    E(APPROVE)      /* from here on: the operator's decisions */            \
    E(DENY)                                                                 \
    E(RETURN)       /* more information is needed */                        \
    E(NEW_VANITY)   /* ... other vanity numbers are */                      \
    E(CANCEL)
#define EVENT_ENUM(name) BRIEF_EV_##name,
enum brief_event { BRIEF_EVENTS(EVENT_ENUM) BRIEF_EVENT_COUNT };
#undef EVENT_ENUM
/** What the table of its life says. @return false: not in this state, or never with this kind */
bool brief_rule(enum brief_kind kind, enum brief_state in, enum brief_event on, enum brief_state *to);

struct brief_attachment {
    char    id[GUID_SIZE], type[24], name[256], file_type[8];
    int64_t size;                               /* octets */
};
struct brief {
    uint64_t         key, resource;
    enum brief_kind  kind;
    enum brief_state state;
    char             id[GUID_SIZE], country[3];
    char             number[12];                /* the short code of an approved program; else empty */
    int64_t          submitted_us, updated_us;  /* product time; 0: never */
    const char      *content, *notes;           /* JSON: an object, and an array of {"message","date"} */
    uint64_t         numbers[BRIEF_NUMBERS_MAX];        /* a campaign's, as digits */
    size_t           n_numbers, n_attachments;
    struct brief_attachment attachments[BRIEF_ATTACHMENTS_MAX];
};

MUST_USE enum err registrations_new(struct registrations **out, struct control *control, struct numbers *numbers);
void registrations_free(struct registrations *r);
SCOPED_FREE(registrations)
/** Before the threads start; it blocks. @return ERR_STORE, ERR_NOMEM, with `why` */
MUST_USE enum err registrations_load(struct registrations *r, struct problem *why);

/** A resource is deleted: so are its briefs (the `end` of an accounts_ender, domain/accounts/accounts.h). */
MUST_USE enum err registrations_end(void *registrations, uint64_t resource, void (*done)(void *arg, enum err err), void *arg);

/** A numbers_registration_fn: how far the verification of a leased toll-free number is. */
enum number_registration registrations_of_number(void *registrations, const struct lease *l);

/* -- looking: borrowed until control returns to its loop ------------------------------------------------------------------ */
/** @param country  of a campaign, capitals; empty: any
 *  @return ERR_RANGE (no GUID), ERR_ABSENT, with `why` */
MUST_USE enum err registrations_find(const struct registrations *r, uint64_t resource, enum brief_kind kind, struct str country,
                                     struct str id, const struct brief **out, struct problem *why);
/** Of either kind, by GUID. @param resource  0: of any; two resources may have chosen the same
 *  @return ERR_RANGE, ERR_ABSENT, ERR_CONFLICT (several), with `why` */
MUST_USE enum err registrations_named(const struct registrations *r, uint64_t resource, struct str id, const struct brief **out,
                                      struct problem *why);
/** What is listed: kind -1 both, resource 0 all, country empty any, with_number: only those with a short code. */
struct brief_filter {
    uint64_t   resource;
    int        kind;
    struct str country;
    bool       with_number;
};
/** Those from the skip-th, the oldest first, at most `most`, into `out`. @return how many */
size_t registrations_list(const struct registrations *r, const struct brief_filter *filter, size_t skip, size_t most,
                          const struct brief **out, bool *more);

/* -- changing: an error at once (with `why`, and then no done), or ERR_NONE and done later -------------------------------- */
/** The outcome, once committed; `b` is NULL when it was deleted. Borrowed during the call. */
typedef void brief_done_fn(void *arg, enum err err, const struct brief *b, bool created, const struct problem *why);

struct brief_ref {
    uint64_t        resource;
    enum brief_kind kind;
    struct str      country;                    /* of a campaign; a program's is US */
    struct str      id;
};
/** Make it, or merge into it. @param patch  passed brief_patch_check()
 *  @return ERR_RANGE, ERR_CONFLICT (it may not be changed now), ERR_SIZE, ERR_BUSY, ERR_NOMEM */
MUST_USE enum err registrations_put(struct registrations *r, const struct brief_ref *ref, const struct json *patch,
                                    brief_done_fn *done, void *arg, struct problem *why);
/** Hand it in: complete, its numbers leased here and toll-free. Again while it is submitted: done at once.
 *  @return ERR_RANGE, ERR_ABSENT, ERR_CONFLICT, ERR_BUSY, ERR_NOMEM */
MUST_USE enum err registrations_submit(struct registrations *r, const struct brief_ref *ref, brief_done_fn *done, void *arg,
                                       struct problem *why);
/** With what is attached. @return ERR_RANGE, ERR_ABSENT, ERR_CONFLICT, ERR_BUSY, ERR_NOMEM */
MUST_USE enum err registrations_delete(struct registrations *r, const struct brief_ref *ref, brief_done_fn *done, void *arg,
                                       struct problem *why);

struct brief_decision {
    enum brief_event event;                     /* APPROVE .. CANCEL */
    struct str       code, note;                /* told to the client, may be empty */
    struct str       short_code;                /* APPROVE of a program; empty: one of the simulated is taken */
};
/** @return ERR_RANGE, ERR_CONFLICT (not in this state; the short code is taken), ERR_BUSY, ERR_NOMEM */
MUST_USE enum err registrations_decide(struct registrations *r, const struct brief *b, const struct brief_decision *decision,
                                       brief_done_fn *done, void *arg, struct problem *why);

/* -- what is attached to a campaign brief ----------------------------------------------------------------------------------- */
/** @param content  base64, valid, of a->size octets  @return as registrations_put() */
MUST_USE enum err registrations_attach(struct registrations *r, const struct brief_ref *ref, const struct brief_attachment *a,
                                       struct str content, brief_done_fn *done, void *arg, struct problem *why);
MUST_USE enum err registrations_detach(struct registrations *r, const struct brief_ref *ref, struct str attachment,
                                       brief_done_fn *done, void *arg, struct problem *why);
/** Read one (by id) or a page of them with their contents; rows as brief_attachment_row_of() says.
 *  @return ERR_RANGE, ERR_ABSENT (no such brief or attachment), ERR_BUSY, ERR_NOMEM, with `why` */
MUST_USE enum err registrations_attachments(struct registrations *r, const struct brief_ref *ref, struct str attachment,
                                            int64_t skip, int64_t top, struct db_read *read, struct problem *why);
