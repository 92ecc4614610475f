/* numbers.h - the numbers a resource leases: search, hold, purchase, change, release, look-up.
 *
 * Thread: control. The catalogue (numbers/catalogue.h) says what is allowed; this says who holds what. A contested fact
 * (hold, buy) is decided against memory that control owns and marks pending while its unit is being committed; guards in
 * the unit would stop a second owner even if memory were wrong. Life of a number: numbers/life.h. */
#pragma once
#include "base/problem.h"
#include "domain/control.h"

struct numbers;
struct accounts;

/* The first three are leased by search, and stored by these values; the others are rows of the catalogue alone:
 * what there is besides, got in other ways (numbers/catalogue.h). */
enum SMALL number_type {
    NUMBER_GEOGRAPHIC, NUMBER_TOLL_FREE, NUMBER_MOBILE,
    SENDER_TEN_DLC, SENDER_SHORT_CODE, SENDER_ALPHANUMERIC, NUMBER_TRIAL, NUMBER_TYPE_COUNT
};
enum SMALL assignment  { ASSIGNED_PERSON, ASSIGNED_APPLICATION };
/* Bits: a capability is none, inbound, outbound, or both. */
enum SMALL capability  { CAP_NONE = 0, CAP_INBOUND = 1, CAP_OUTBOUND = 2, CAP_BOTH = 3 };

struct lease {
    uint64_t         number;            /* E.164 digits as an integer: 12065550100 */
    uint64_t         resource;
    enum number_type type;
    enum assignment  assignment;
    enum capability  calling, sms;
    char             country[3];
    bool             simulated;         /* belongs to the simulated carrier (the wall: ARCHITECTURE.md) */
    int64_t          purchased_us;
    const char      *carrier;           /* name of the carrier or trunk it came with; "sim". Lives as long as struct numbers */
};

/* -- making --------------------------------------------------------------------------------------------------------- */
struct numbers_conf {
    const char *edition;                /* "2020-10"; static */
    uint64_t    seed;                   /* orders the simulated inventory */
    bool        simulator;              /* offer the simulated inventory */
};
/** @return ERR_RANGE (no such edition), ERR_NOMEM, with `why` */
MUST_USE enum err numbers_new(struct numbers **out, struct control *control, const struct accounts *accounts,
                              const struct numbers_conf *conf, struct problem *why);
void numbers_free(struct numbers *n);
SCOPED_FREE(numbers)
/** Read leases, holds, released numbers and recent operations, set their timers. Before the threads start; it blocks.
 *  @return ERR_STORE, ERR_NOMEM, with `why` */
MUST_USE enum err numbers_load(struct numbers *n, struct problem *why);
const char *numbers_edition(const struct numbers *n);

/* Whose numbers may be imported: is there a carrier or trunk of this name, and is it a simulated one? "sim" always is. */
typedef bool numbers_carrier_fn(void *arg, struct str name, bool *simulated);
/** How many numbers came with that carrier and were not withdrawn. */
size_t numbers_of_carrier(const struct numbers *n, struct str carrier);
void numbers_set_carriers(struct numbers *n, numbers_carrier_fn *known, void *arg);

/* What goes with a number that is given back: its rows in the unit of the release, what is in memory behind the commit. */
struct numbers_leaver {
    void (*rows)(void *arg, struct db_unit *u, uint64_t number);
    void (*gone)(void *arg, uint64_t number);
    void *arg;
};
enum { NUMBERS_LEAVERS_MOST = 4 };
/** While everything is being made: at most NUMBERS_LEAVERS_MOST. */
void numbers_on_release(struct numbers *n, struct numbers_leaver leaver);

/* -- look-up -------------------------------------------------------------------------------------------------------- */
/** The lease of a number now in use, or NULL. `e164` with or without '+'. Borrowed until control returns to its loop. */
const struct lease *numbers_lease(const struct numbers *n, struct str e164);
/** The same for one resource, as the API tells it. @return ERR_RANGE (no phone number), ERR_ABSENT, with `why` */
MUST_USE enum err numbers_lease_of(const struct numbers *n, uint64_t resource, struct str e164, const struct lease **out,
                                   struct problem *why);
int64_t numbers_lease_micro(const struct numbers *n, const struct lease *l);    /* a month, millionths of a US dollar */

/** End of the billing month (from the day of purchase, UTC) in which `now` lies. */
int64_t billing_cycle_end(int64_t purchased_us, int64_t now_us);

/** Are numbers of this country offered by the edition? @return ERR_RANGE with `why` */
MUST_USE enum err numbers_country(const struct numbers *n, struct str country, struct problem *why);

/** May a lease call / text this destination, under the edition?  @return ERR_NONE, ERR_FORBIDDEN or ERR_RANGE with `why`
 *  (rule, suggestion). The destination is E.164 with '+'. Emergency numbers are not asked here. */
MUST_USE enum err numbers_may_call(const struct numbers *n, const struct lease *from, struct str to, struct problem *why);
MUST_USE enum err numbers_may_text(const struct numbers *n, const struct lease *from, struct str to, struct problem *why);
/** The sender's half of numbers_may_text(): a whole request stands or falls with it. @return ERR_RANGE with `why` */
MUST_USE enum err numbers_may_send_texts(const struct numbers *n, const struct lease *from, struct problem *why);
/** May this caller / sender reach the lease? A caller that is no phone number (anonymous) may call.
 *  @return ERR_NONE, ERR_FORBIDDEN with `why` */
MUST_USE enum err numbers_may_be_called(const struct numbers *n, const struct lease *to, struct str from,
                                        struct problem *why);
MUST_USE enum err numbers_may_be_texted(const struct numbers *n, const struct lease *to, struct str from,
                                        struct problem *why);

/* -- registration: what the catalogue's row may want before a number may text ------------------------------------------ */
/* It rises with what is reached. */
enum number_registration {
    REGISTRATION_NOT_NEEDED, REGISTRATION_UNVERIFIED, REGISTRATION_REJECTED, REGISTRATION_RETURNED, REGISTRATION_PENDING,
    REGISTRATION_VERIFIED,
};
const char *number_registration_word(enum number_registration state);
/** Who knows (domain/registrations): a leased toll-free number's state, but NOT_NEEDED. */
typedef enum number_registration numbers_registration_fn(void *arg, const struct lease *l);
void numbers_set_registrations(struct numbers *n, numbers_registration_fn *fn, void *arg);
/** Numbers of real carriers are verified with those: only simulated ones are asked about here. */
enum number_registration numbers_registration(const struct numbers *n, const struct lease *l);
/** May its messages leave, as far as registration goes?  @return ERR_FORBIDDEN with `why` */
MUST_USE enum err numbers_is_registered(const struct numbers *n, const struct lease *l, struct problem *why);

/* -- quotas: counted where searches and purchases are accepted (numbers/quotas.h) ----------------------------------------- */
struct quotas;
void numbers_set_quotas(struct numbers *n, struct quotas *quotas);      /* before the threads start; none: no limits */
struct quotas *numbers_quotas(const struct numbers *n);                 /* NULL: no limits */

/* -- search, purchase, change, release ------------------------------------------------------------------------------ */
enum { NUMBERS_SEARCH_MOST = 1000, NUMBERS_HOLD_S = 15 * 60, NUMBERS_QUARANTINE_DAYS = 45, NUMBERS_KEEP_S = 24 * 3600 };

struct number_search_new {
    struct str       country;           /* ISO 3166-1 alpha-2 */
    enum number_type type;
    enum assignment  assignment;
    enum capability  calling, sms;
    struct str       area_code;         /* empty: any */
    int64_t          quantity;          /* 1..NUMBERS_SEARCH_MOST */
};

enum search_state { SEARCH_HELD, SEARCH_BOUGHT, SEARCH_EXPIRED, SEARCH_CANCELED };
struct number_search {
    uint64_t          key, resource;    /* key: also its operation's */
    char              country[3];
    enum number_type  type;
    enum assignment   assignment;
    enum capability   calling, sms;
    enum search_state state;
    int64_t           expires_us;       /* end of the hold, product time */
    int64_t           lease_micro;      /* for each number, a month */
    size_t            count;
    const uint64_t   *numbers;
};

/* Everything that takes a poll of the official SDKs. It is done when its unit is: clients read `succeeded` at once. */
enum operation_kind {
    OPERATION_SEARCH, OPERATION_PURCHASE, OPERATION_RELEASE, OPERATION_CAPABILITIES, OPERATION_RESERVATION, OPERATION_KINDS
};
enum operation_status { OPERATION_SUCCEEDED, OPERATION_FAILED, OPERATION_CANCELED };
struct number_operation {
    uint64_t              key, resource;
    enum operation_kind   kind;
    enum operation_status status;
    int64_t               created_us, changed_us;
    uint64_t              subject;      /* SEARCH, PURCHASE: the search's key; RESERVATION: its key; else the number */
};

/** The outcome, on control, once committed: ERR_NONE with the operation, or ERR_STORE, ERR_CONFLICT with `why`. Both are
 *  borrowed during the call. */
typedef void numbers_done_fn(void *arg, enum err err, const struct number_operation *op, const struct problem *why);

/* Each of these answers an error at once (with `why`, and then no done), or ERR_NONE and done later. */
/** Hold what there is, up to the quantity, for 15 minutes.
 *  @return ERR_RANGE (the request), ERR_FORBIDDEN (who asks), ERR_BUSY, ERR_NOMEM */
MUST_USE enum err numbers_search(struct numbers *n, uint64_t resource, const struct number_search_new *rq,
                                 numbers_done_fn *done, void *arg, struct problem *why);
/** Lease everything a search holds. Again for a bought search: done at once with the first operation.
 *  @param agrees  not to sell the numbers on, which some countries ask for (catalogue.h: own_use)
 *  @return ERR_ABSENT (no such search), ERR_CONFLICT (the hold has ended), ERR_FORBIDDEN, ERR_RANGE (not agreed), ERR_BUSY, ERR_NOMEM */
MUST_USE enum err numbers_purchase(struct numbers *n, uint64_t resource, uint64_t search, bool agrees,
                                   numbers_done_fn *done, void *arg, struct problem *why);
/** Change capabilities; NULL leaves one as it is. @return ERR_ABSENT, ERR_RANGE, ERR_BUSY, ERR_NOMEM */
MUST_USE enum err numbers_change(struct numbers *n, uint64_t resource, struct str e164, const enum capability *calling,
                                 const enum capability *sms, numbers_done_fn *done, void *arg, struct problem *why);
/** Give a number back: out of use at once, offered again after its billing cycle and the quarantine.
 *  @return ERR_ABSENT, ERR_RANGE, ERR_BUSY, ERR_NOMEM */
MUST_USE enum err numbers_release(struct numbers *n, uint64_t resource, struct str e164, numbers_done_fn *done, void *arg,
                                  struct problem *why);
/** Give back all that a resource holds and release all that it leases, for it is being deleted: nothing new may be asked for it
 *  from now on. Done once everything is on disk, or with the first error; then it may be asked again.
 *  @return ERR_NOMEM */
typedef void numbers_left_fn(void *arg, enum err err);
MUST_USE enum err numbers_release_all(struct numbers *n, uint64_t resource, numbers_left_fn *done, void *arg);
/** Cancel an operation. A search gives its hold back; what is done otherwise stays done.
 *  @return ERR_ABSENT, ERR_BUSY, ERR_NOMEM */
MUST_USE enum err numbers_cancel(struct numbers *n, uint64_t resource, enum operation_kind kind, uint64_t key,
                                 numbers_done_fn *done, void *arg, struct problem *why);

/** NULL: none of this resource, or older than NUMBERS_KEEP_S. Borrowed until control returns to its loop. */
const struct number_search *numbers_search_find(const struct numbers *n, uint64_t resource, uint64_t key);
const struct number_operation *numbers_operation_find(const struct numbers *n, uint64_t resource,
                                                      enum operation_kind kind, uint64_t key);

/** Leases of a resource by rising number, behind `after` (0: from the first) and without the next `skip`, at most `top`; then
 *  done. Leases are borrowed during the call. `next`: where the next page begins, as its `after`; 0: there is none. A page by
 *  `after` costs the same however far it is. @return ERR_BUSY, ERR_NOMEM */
typedef void numbers_list_fn(void *arg, enum err err, const struct lease *const *leases, size_t count, uint64_t next);
struct number_page { uint64_t after; int64_t skip, top; };
MUST_USE enum err numbers_list(struct numbers *n, uint64_t resource, const struct number_page *page, numbers_list_fn *done,
                               void *arg, struct problem *why);

/* -- reservations: numbers of the client's choice, held together under an id of the client's choice ------------------- */
enum { NUMBERS_RESERVED_LONGEST_S = 2 * 3600, NUMBERS_RESERVED_MOST = 1000 };

enum reservation_state { RESERVATION_ACTIVE, RESERVATION_SUBMITTED, RESERVATION_COMPLETED, RESERVATION_EXPIRED };
struct reserved_number {
    uint64_t         number;
    enum number_type type;
    enum assignment  assignment;
    enum capability  calling, sms;
    char             country[3];
    int64_t          lease_micro;       /* a month */
    char             error_code[64];    /* not empty: it could not be held */
    char             error_text[384];
};
struct number_reservation {
    uint64_t                      key, resource;
    char                          id[40];       /* a GUID, lower case */
    enum reservation_state        state;
    int64_t                       created_us, expires_us;
    size_t                        count;
    const struct reserved_number *numbers;
};

/* One entry of a request. Taking out wins over putting in. */
struct reservation_wish {
    uint64_t         number;
    bool             out;               /* the rest counts when false */
    struct str       country;           /* ISO 3166-1 alpha-2, capitals */
    enum number_type type;
    enum assignment  assignment;
    enum capability  calling, sms;
};

/** The outcome, once committed; PARTLY: something wished for stands in it with an error. Borrowed during the call. */
enum reserved { RESERVED_NEW, RESERVED_CHANGED, RESERVED_PARTLY };
typedef void numbers_reserved_fn(void *arg, enum err err, const struct number_reservation *r, enum reserved how,
                                 const struct problem *why);

/** Make or change a reservation: what is in it already (or not, to be taken out) is passed over, what cannot be had stands
 *  in it with an error. A change holds all of it for NUMBERS_HOLD_S from now, at most NUMBERS_RESERVED_LONGEST_S in all.
 *  @return ERR_RANGE (the request), ERR_FORBIDDEN (who asks), ERR_CONFLICT (not active), ERR_BUSY, ERR_NOMEM */
MUST_USE enum err numbers_reserve(struct numbers *n, uint64_t resource, struct str id, const struct reservation_wish *wishes,
                                  size_t count, numbers_reserved_fn *done, void *arg, struct problem *why);
/** Give all of it back and forget it. `done` gets no operation.
 *  @return ERR_RANGE (no GUID), ERR_ABSENT, ERR_CONFLICT (not active), ERR_BUSY, ERR_NOMEM */
MUST_USE enum err numbers_unreserve(struct numbers *n, uint64_t resource, struct str id, numbers_done_fn *done, void *arg,
                                    struct problem *why);
/** Lease what it holds. Again for a bought one: done at once with the first operation.
 *  @return as numbers_unreserve(), ERR_FORBIDDEN (who asks), ERR_RANGE (not agreed) */
MUST_USE enum err numbers_buy_reserved(struct numbers *n, uint64_t resource, struct str id, bool agrees,
                                       numbers_done_fn *done, void *arg, struct problem *why);
/** @return ERR_RANGE (no GUID), ERR_ABSENT (none, or older than a month), with `why` */
MUST_USE enum err numbers_reservation_of(const struct numbers *n, uint64_t resource, struct str id,
                                         const struct number_reservation **out, struct problem *why);
/** Those of a resource, the oldest first, from the skip-th, at most `most`, into `out`: the same work however many others have. */
void numbers_reservations(const struct numbers *n, uint64_t resource, size_t skip, size_t most,
                          const struct number_reservation **out, size_t *count, bool *more);

/* -- browse: what could be reserved, at random; nothing is held ------------------------------------------------------ */
enum { NUMBERS_BROWSE_MOST = 100, NUMBERS_PREFIXES_MOST = 100 };

struct number_range { uint64_t least, most; };      /* digits, both included */
/** The numbers that begin with a prefix: digits from the country code on, where '+' may lead, or the first ones of a North American
 *  national number: that range comes first. Numbers of other countries differ in length: a range for each.
 *  @return how many ranges; 0: this is no prefix */
enum { NUMBER_RANGES_MOST = 16 };
MUST_USE size_t number_ranges_read(struct str prefix, struct number_range out[NUMBER_RANGES_MOST]);
/** The same as people of a country (ISO 3166-1, either case) write it: what does not begin with its country code is national. */
MUST_USE size_t number_ranges_of_country(struct str country, struct str prefix, struct number_range out[NUMBER_RANGES_MOST]);

struct number_browse {
    struct str                 country;
    enum number_type           type;
    enum assignment            assignment;
    enum capability            calling, sms;        /* at least */
    const struct number_range *ranges;              /* any of these; n_ranges 0: any number */
    size_t                     n_ranges;
};
/** @param out  room for NUMBERS_BROWSE_MOST; capabilities are the most that such a number may have
 *  @return ERR_RANGE (no such plan), ERR_FORBIDDEN (who asks) */
MUST_USE enum err numbers_browse(struct numbers *n, uint64_t resource, const struct number_browse *rq,
                                 struct reserved_number *out, size_t *count, struct problem *why);

/* -- whose number is it? What our own tables know: nothing is asked of anybody. -------------------------------------- */
enum operator_type { OPERATOR_UNKNOWN, OPERATOR_OTHER, OPERATOR_GEOGRAPHIC };
struct operator_info {
    uint64_t           number;
    const char        *country;         /* ISO 3166-1 alpha-2; empty: not known. Static */
    enum operator_type type;            /* a North American number of another carrier may be a mobile: UNKNOWN */
    char               carrier[64];     /* of our own numbers; else empty */
};
/** @return ERR_RANGE (no phone number) with `why` */
MUST_USE enum err numbers_operator(const struct numbers *n, struct str e164, struct operator_info *out, struct problem *why);
