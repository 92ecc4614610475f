/* events_priv.h - what the files of this module share. Thread: control. */
#pragma once
#include "base/map.h"
#include "base/str.h"
#include "domain/events/events.h"
#include "domain/events/filter.h"
#include "domain/purge.h"
#include "store/events.h"

struct event_subscription {
    struct events *ev;
    uint64_t       key, resource;
    char          *name, *url, *types;      /* owned */
    struct json_doc *filter;                /* owned; NULL: none */
    bool           cloud;
    enum event_subscription_state state;
    char           code[GUID_SIZE];         /* of the handshake: our secret until the endpoint returns it */
    bool           proving;                 /* its row, its handshake or the proof of it is under way */
    bool           gone;                    /* unsubscribed: nothing more is written for it */
    bool           ended;                   /* and that is on disk: freed once it is not proving */
    struct agenda_entry expiry;             /* of the validation URL */
    events_subscribed_fn *done;             /* whoever waits for the handshake */
    void          *arg;
};

/* One copy of an event (or a callback) on its way to one endpoint: in memory from events_write() until acknowledged. */
struct delivery {
    struct events       *ev;
    struct delivery     *next;              /* in its batch, then in its lane */
    struct lane         *lane;              /* NULL: out of line, retried alone */
    uint64_t             key, subscription; /* subscription 0: a callback */
    char                *url, *body;        /* owned; url NULL: the subscription's */
    int                  tries;
    int64_t              since_us;          /* product time of the event: how long it has been tried */
    bool                 in_flight;
    struct agenda_entry  retry;
    struct delivery     *crowd_next, **crowd_at;    /* among those a full courier keeps waiting; crowd_at NULL: not */
};

/* First attempts in order: one lane for each (subscription, subject) or (call, url); its head alone is tried. */
struct lane {
    struct delivery *head, **tail;
    char            *name;                  /* owned; its key in events->lanes */
    struct lane     *doomed;                /* the next to be ended, while many are */
};

struct listing;
struct events {
    struct control           *control;
    const struct courier_ops *courier;
    void                     *courier_self;
    struct map               *subscriptions;    /* key -> struct event_subscription, owned */
    struct map               *deliveries;       /* key -> struct delivery, owned */
    struct strmap            *lanes;            /* name -> struct lane, owned */
    struct delivery          *crowd, **crowd_tail;      /* what a full courier would not take, in order */
    struct loop_timer         crowd_timer;
    bool                      letting_go;       /* nobody waits for events any more */
    struct listing           *waiting;          /* events_list() calls that wait for a first event */
    struct purge             *purge;
    uint64_t                  last_event;       /* newest key written */
    char                     *base_url;
};

/* deliveries.c */
MUST_USE enum err delivery_new(struct delivery **out, struct events *ev, const struct delivery_row *row, struct str body);
void delivery_free(struct delivery *d);         /* not in a lane any more */
/** Append to its lane and try it when it is the head. Takes d. */
void delivery_line_up(struct delivery *d, struct str lane_name);
/** As loaded after a restart: failed before, so alone on its timer. */
void delivery_retry_alone(struct delivery *d, int64_t at_us);
void deliveries_drop_subscription(struct events *ev, uint64_t subscription);
void deliveries_free(struct events *ev);
/** Ask again for what the courier would not take. A loop_timer_fn; arg is the events. */
void deliveries_uncrowd(void *arg);
/** The JSON that goes over the wire for one event, by the subscription's schema. */
void event_render(const struct events *ev, const struct event_subscription *s, const struct event_row *row, struct buf *out);

/* events.c */
/** The handshake's outcome: ERR_NONE proved; ERR_BUSY awaits its validation URL; anything else refused: s may be gone. */
void events_subscribed(struct event_subscription *s, enum err err, const struct problem *why);
/** Post a unit nobody waits for; lost when the store is full. */
void events_post(struct events *ev, struct db_unit *u);

/* handshake.c */
MUST_USE enum err handshake_start(struct event_subscription *s);

/* listing.c */
void listings_wake(struct events *ev);
void listings_free(struct events *ev);
/** As people and programs see an event. */
void event_write(const struct event_row *row, struct jw *w);

/** The outcome of a courier request, carried from the hooks thread to control. `tag` is courier_request.id. */
struct courier_reply {
    struct inbox_item item;
    struct events    *ev;
    uint64_t          id;
    enum err          err;
    int               status;
    char              words[160];
    char              allowed_origin[256];
    struct str        body;                 /* owned */
};
void courier_reply_free(struct courier_reply *r);
/** Fill from an outcome and post to control with this kind. For courier_request.done, on the hooks thread. */
void courier_reply_post(struct events *ev, const struct inbox_kind *kind, const struct courier_outcome *outcome);
char *str_dup(struct str s);                    /* NULL when out of memory */
