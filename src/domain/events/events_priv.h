/* events_priv.h - what the files of this module share. Thread: control.
 *
 * subscriptions.c  their lives           interests.c  who wants what           handshake.c proof of the endpoint
 * sweep.c          rows of the ended     events.c     writing events into units
 * outlets.c        what waits for whom   posts.c      POSTs and their ends     render.c   bytes and headers of a POST
 * listing.c        following events      letters.c    dead letters, one event  replay.c   again
 */
#pragma once
#include "base/map.h"
#include "base/str.h"
#include "domain/events/events.h"
#include "domain/events/filter.h"
#include "domain/events/lanes.h"
#include "domain/purge.h"
#include "store/events.h"

enum { POST_OCTETS_MAX = 1 << 20,       /* of a batch; an event that is larger goes alone */
       HMAC_KEY_MAX = 64, HMAC_KEY_MIN = 24, OWN_HEADERS_MAX = 5 };

struct event_subscription {
    struct events *ev;
    uint64_t       key, resource;
    char          *name, *url, *types;      /* owned */
    struct json_doc *filter;                /* owned; NULL: none */
    struct json_doc *secrets;               /* owned; NULL: none. {"bearer", "hmacKey", "headers": {}} */
    bool           cloud;
    unsigned       batch;
    char           new_key[EVENT_KEY_SIZE]; /* a key that was made here and not yet shown */
    enum event_subscription_state state;
    char           code[GUID_SIZE];         /* of the handshake: our secret until the endpoint returns it */
    bool           proving;                 /* its row, its handshake or the proof of it is under way */
    bool           gone;                    /* unsubscribed: nothing more is written for it */
    bool           ended;                   /* and that is on disk: freed once it is not proving */
    struct agenda_entry expiry;             /* of the validation URL */
    struct outlet *outlet;                  /* owned; NULL until something waits for it */
    events_subscribed_fn *done;             /* whoever waits for the handshake */
    void          *arg;
};

/* One copy of an event (or a callback) as it was written, until its first try takes it or there is no room to keep it. */
struct delivery {
    struct delivery *next;                  /* in its batch */
    struct events   *ev;
    uint64_t         key, subscription;     /* subscription 0: a callback */
    uint64_t         resource;
    uint64_t         cause;                 /* the event's key, the call's for a callback */
    uint64_t         lane;
    int64_t          since_us;
    size_t           body_n;
    char            *url;                   /* in bytes; of a callback */
    char             bytes[];               /* the body, then the url */
};

/* What waits for one subscription; one more for all callbacks. A post is in hand until its outcome is safe on disk. */
struct post;
struct outlet {
    struct events       *ev;
    struct event_subscription *subscription;    /* NULL: callbacks */
    struct lanes         lanes;
    struct post         *due, **due_tail;       /* out of line, read and ready to be sent */
    unsigned             posts;                 /* in hand */
    unsigned             failing;               /* so many failed one after the other */
    struct loop_timer    gap;                   /* between tries of an endpoint that keeps failing */
    bool                 gap_runs;
    struct agenda_entry  next_due;              /* when the next one out of line is */
    int64_t              due_us;                /* read so far: behind this row */
    uint64_t             due_key;
    bool                 due_more, due_reading; /* rows that are due are left; are being read */
};

/* One POST from the moment its deliveries are chosen. */
struct posted {
    uint64_t     key, cause;
    int64_t      since_us;
    struct lane *lane;                          /* NULL: out of line */
    int          tries;                         /* before this one; once it is answered, with it */
    /* set when it failed */
    int64_t      next_us;
    enum delivery_death dead;
};
struct post {
    uint64_t       id;
    struct events *ev;
    struct outlet *outlet;                      /* NULL: it has ended */
    struct post   *next;                        /* in the crowd, shed, or among the outlet's due ones */
    bool           crowded;
    struct db_read read;
    bool           reading, held;               /* held: who moves the clock waits for it */
    bool           answered;                    /* the outcome is known, its record is not safe yet */
    bool           good, alone;                 /* acknowledged; failed in a way that asks for single tries */
    struct buf     body;                        /* bare events with commas between; brackets are put on when it is sent */
    char          *url;                         /* of a callback */
    uint64_t       resource;                    /* likewise */
    enum err       err;                         /* the outcome */
    int            status;
    int64_t        took_us;
    char           words[160];
    size_t         n;
    struct posted  posted[];
};

struct listing;
struct events {
    struct control           *control;
    const struct courier_ops *courier;
    void                     *courier_self;
    struct map               *subscriptions;    /* key -> struct event_subscription, owned */
    struct strmap            *interests;        /* resource and type -> struct interest, owned */
    struct outlet            *callbacks;
    struct map               *larder;           /* delivery key -> struct delivery, owned: bodies that need no reading */
    size_t                    larder_octets;
    struct map               *posts;            /* id -> struct post, owned */
    struct map               *apart;            /* delivery key -> struct post: out of line and in hand */
    uint64_t                  last_post;
    struct map               *sweeps;           /* subscription -> struct sweep: whose rows are being deleted */
    struct post              *crowd, **crowd_tail;      /* what a full courier or store would not take, in order */
    struct loop_timer         crowd_timer;
    struct post              *shed, **shed_tail;        /* what its own host's full line at the courier gave back, in order */
    struct loop_timer         shed_timer;
    bool                      letting_go;       /* nobody waits for events any more */
    struct listing           *waiting;          /* events_list() calls that wait for a first event */
    struct purge             *purge, *dead_purge, *tries_purge;
    uint64_t                  last_event;       /* newest key written */
    char                     *base_url;
};

/* subscriptions.c */
void subscriptions_free(struct events *ev);
MUST_USE enum err subscriptions_load(struct events *ev);
/** The handshake's outcome: ERR_NONE proved; ERR_BUSY awaits its validation URL; anything else refused: s may be gone. */
void events_subscribed(struct event_subscription *s, enum err err, const struct problem *why);

/* interests.c */
MUST_USE enum err interests_add(struct event_subscription *s);
void interests_remove(struct event_subscription *s);
/** The map and what is in it. */
void interests_free(struct strmap *interests);
/** An event, and its data once somebody looked into them. */
struct looked {
    const struct event_new *event;
    struct json_doc        *data;           /* owned */
    enum err                err;            /* why the data could not be read: ERR_NOMEM, or it is no JSON */
};
/** Call fn for every subscription that wants it, until one returns false. Walks only those of its resource and type. */
void subscriptions_wanting(const struct events *ev, struct looked *l, bool (*fn)(void *arg, struct event_subscription *s), void *arg);
bool subscription_wants(const struct event_subscription *s, struct looked *l);

/* sweep.c */
/** Delete the rows of a subscription that has ended, in slices. */
void events_sweep(struct events *ev, uint64_t subscription);

/* outlets.c */
MUST_USE struct outlet *outlet_new(struct events *ev, struct event_subscription *s);
/** What waits is forgotten, what is under way ends alone. */
void outlet_free(struct outlet *o);
/** One more waits. `row` lives on disk already. @param d  taken: kept for its body if there is room; NULL: read later */
void outlet_add(struct outlet *o, const struct delivery_row *row, struct delivery *d);
/** Send what may be sent. */
void outlet_pump(struct outlet *o);
/** Something out of line is due then, and its row is on disk. */
void outlet_due(struct outlet *o, int64_t next_us, uint64_t key);
/** The subscription's, made when there is none. NULL: no memory. */
struct outlet *outlet_of(struct event_subscription *s);
/** A lane whose first try failed is sent from again then. */
void outlet_rest(struct outlet *o, struct lane *lane, int64_t until_us);
/** A POST of it ended: an endpoint that keeps failing is asked one POST at a time, with a gap between. */
void outlet_ended(struct outlet *o, bool good);
unsigned outlet_batch(const struct outlet *o);
/** Lines, and when the first one out of line is due, as they are on disk. Blocks. */
MUST_USE enum err outlets_load(struct events *ev);
void delivery_free(struct delivery *d);

/* posts.c */
/** Chosen keys of lanes: read what is not in the larder, then send. Takes p. */
void post_begin(struct post *p);
/** Its deliveries are there: send. */
void post_send(struct post *p);
struct post *post_new(struct outlet *o, size_t most);
void post_free(struct post *p);
void posts_free(struct events *ev);
/** Ask again for what the courier or the store would not take. A loop_timer_fn; arg is the events. */
void posts_uncrowd(void *arg);
/** Likewise for what one host's line gave back. */
void posts_unshed(void *arg);
/** The row as it goes into the body. @return false: there is no more room in this POST, or it is out of memory (body.bad) */
bool post_put(struct post *p, const struct delivery_row *row);

/** Does it go out in the form of a batch? */
bool post_is_batch(const struct post *p);

/* events.c */
/** The lane of a subject: the same in every process, for rows keep it. */
uint64_t event_lane(uint64_t subscription, struct str subject);

/* render.c */
/** The JSON that goes over the wire for one event, by the subscription's schema, without brackets. */
void event_render(const struct events *ev, const struct event_subscription *s, const struct event_row *row, struct buf *out);
/** Headers of a request, and the bytes they borrow from. */
struct post_headers {
    struct buf text;
    size_t     n, end[COURIER_HEADERS_MAX];
};
/** Into rq->headers, which borrow from h. @param body  as it goes out: it is signed */
void post_headers_fill(struct post_headers *h, const struct post *p, struct str body, struct courier_request *rq);
/** Are these secrets of a subscription? @return ERR_RANGE with `why` */
MUST_USE enum err secrets_check(const struct json *secrets, struct problem *why);
/** What may be shown of them. */
void secrets_write(const struct json *secrets, struct jw *w);

/* handshake.c */
MUST_USE enum err handshake_start(struct event_subscription *s);

/* listing.c */
void listings_wake(struct events *ev);
void listings_free(struct events *ev);
/** As people and programs see an event: members of an open object. */
void event_write(const struct event_row *row, struct jw *w);

/** The outcome of a courier request, carried from the hooks thread to control. `id` is courier_request.id. */
struct courier_reply {
    struct inbox_item item;
    struct events    *ev;
    uint64_t          id;
    enum err          err;
    int               status;
    int64_t           took_us;
    char              words[160];
    char              allowed_origin[256];
    struct str        body;                 /* owned */
};
void courier_reply_free(struct courier_reply *r);
/** Fill from an outcome and post to control with this kind. For courier_request.done, on the hooks thread. */
void courier_reply_post(struct events *ev, const struct inbox_kind *kind, const struct courier_outcome *outcome);
char *str_dup(struct str s);                    /* NULL when out of memory */
