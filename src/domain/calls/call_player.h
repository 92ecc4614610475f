/* call_player.h - plays the files of one operation, one after the other: fetches each, hands it to media.
 *
 * Thread: control. Lives inside a media operation (call_media.c), which hears what becomes of it. */
#pragma once
#include "domain/calls/calls_priv.h"

enum { PROMPT_OCTETS_MOST = 8 << 20, PROMPT_FETCH_S = 15 };

enum player_outcome { PLAYER_DONE, PLAYER_UNREACHABLE, PLAYER_UNPLAYABLE, PLAYER_STOPPED };

struct player {
    struct call *call;
    const struct str *uris;     /* outlive the player */
    size_t       n, at;
    bool         loop;
    int          state;
    uint64_t     media_op;      /* what media or the courier is doing for it now; 0: nothing */
    struct str   file;          /* just fetched, during the feed */
    void       (*started)(void *arg);                               /* the first sound leaves */
    void       (*over)(void *arg, enum player_outcome outcome);     /* once, last: it may free the player */
    void        *arg;
    bool         told_start;
    enum err     err;           /* why it was unreachable or unplayable */
};

void player_go(struct player *p);
void player_stop(struct player *p);                             /* `over` is called with PLAYER_STOPPED, if it runs */
/** What was fetched for its media_op. @param file  borrowed during the call */
void player_fetched(struct player *p, enum err err, struct str file);
void player_played(struct player *p, enum err err);             /* MEDIA_PLAYED of its media_op */
