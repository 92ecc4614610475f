#include "domain/messages/optouts.h"
#include "base/map.h"

#include <stdlib.h>

struct optouts {
    struct strmap *senders;             /* sender -> its recipients: a strmap, owned; each with its source */
    struct strmap *sources;             /* the few that there are -> their text, owned */
    size_t         count;
};

enum err optouts_new(struct optouts **out)
{
    struct optouts *o = calloc(1, sizeof *o);
    if (!o)
        return ERR_NOMEM;
    o->senders = strmap_new();
    o->sources = strmap_new();
    if (!o->senders || !o->sources) {
        optouts_free(o);
        return ERR_NOMEM;
    }
    *out = o;
    return ERR_NONE;
}

void optouts_free(struct optouts *o)
{
    if (!o)
        return;
    struct str key;
    void *value;
    for (size_t at = 0; o->senders && strmap_next(o->senders, &at, &key, &value);)
        strmap_free(value);
    for (size_t at = 0; o->sources && strmap_next(o->sources, &at, &key, &value);)
        free(value);
    strmap_free(o->senders);
    strmap_free(o->sources);
    free(o);
}

const char *optouts_source(const struct optouts *o, struct str sender, struct str recipient)
{
    const struct strmap *recipients = strmap_find(o->senders, sender);
    return recipients ? strmap_find(recipients, recipient) : NULL;
}

bool optouts_has(const struct optouts *o, struct str sender, struct str recipient)
{
    return optouts_source(o, sender, recipient) != NULL;
}

/* One text for all that name it. NULL: out of memory. */
static char *source_of(struct optouts *o, struct str source)
{
    char *text = strmap_find(o->sources, source);
    if (text || !(text = strndup(source.p, source.n)))
        return text;
    if (!strmap_put(o->sources, source, text))
        return text;
    free(text);
    return NULL;
}

enum err optouts_put(struct optouts *o, struct str sender, struct str recipient, struct str source)
{
    char *from = source_of(o, source);
    if (!from)
        return ERR_NOMEM;
    struct strmap *recipients = strmap_find(o->senders, sender);
    if (recipients && strmap_find(recipients, recipient))
        return ERR_NONE;
    if (!recipients) {
        recipients = strmap_new();
        if (!recipients || strmap_put(o->senders, sender, recipients)) {
            strmap_free(recipients);
            return ERR_NOMEM;
        }
    }
    if (strmap_put(recipients, recipient, from))
        return ERR_NOMEM;               /* an empty list of a sender does no harm */
    o->count++;
    return ERR_NONE;
}

void optouts_take(struct optouts *o, struct str sender, struct str recipient)
{
    struct strmap *recipients = strmap_find(o->senders, sender);
    if (recipients && strmap_take(recipients, recipient))
        o->count--;
}

void optouts_drop_sender(struct optouts *o, struct str sender)
{
    struct strmap *recipients = strmap_take(o->senders, sender);
    o->count -= recipients ? strmap_count(recipients) : 0;
    strmap_free(recipients);
}

size_t optouts_count(const struct optouts *o)
{
    return o->count;
}
