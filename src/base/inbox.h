/* inbox.h - bounded queue of messages into one thread, from any number of threads.
 *
 * Any thread posts; the owning thread alone drains. Posting is lock-free; the eventfd is written only when the inbox
 * goes from empty to not empty, so a busy inbox costs no system call. An item is allocated by the poster (as the
 * first member of its own struct) and given away by a successful post; the kind's `handle` owns it from there.
 * Ids and copies cross threads; pointers do not, unless the receiver becomes their owner. */
#pragma once
#include "base/base.h"

struct inbox;
struct inbox_item;

/* One per sort of message: static, in the receiving module. */
struct inbox_kind {
    const char *name;
    void (*handle)(void *owner, struct inbox_item *item);   /* owning thread; frees the item */
    void (*drop)(struct inbox_item *item);                  /* when the inbox ends undrained; NULL: free() */
};

struct inbox_item {
    struct inbox_item       *next;
    const struct inbox_kind *kind;
};

/** @param bound  items that may wait, 1..   @param owner handed to every handle() */
MUST_USE struct inbox *inbox_new(const char *name, size_t bound, void *owner);
void inbox_free(struct inbox *in);                          /* drops what waits; nobody may be posting any more */
SCOPED_FREE(inbox)

/** @return ERR_NONE (given away), ERR_BUSY (full: counted, still the poster's) */
MUST_USE enum err inbox_post(struct inbox *in, struct inbox_item *item);
/** For answers that must arrive: never refused for lack of room (the asker was already admitted). */
void inbox_post_always(struct inbox *in, struct inbox_item *item);

/** Readable when something waits: for epoll, su_wait or poll. */
int inbox_fd(const struct inbox *in);
/** Handle everything that waits, in order of arrival. @return how many */
size_t inbox_drain(struct inbox *in);
/** Block until something waits or timeout_ms passes (-1: for ever). */
void inbox_wait(struct inbox *in, int timeout_ms);
size_t inbox_depth(const struct inbox *in);
uint64_t inbox_refused(const struct inbox *in);
