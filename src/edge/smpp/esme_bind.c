/* esme_bind.c - who may bind: asked of control, where keys are known. What is refused is answered late, the later the more often
 * its address was wrong before; a right password never waits. */
#include "edge/smpp/esme_priv.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/str.h"
#include "domain/accounts/smpp_credentials.h"
#include "domain/messages/esmes.h"
#include "domain/messages/mailbox.h"

METRIC_COUNTER(bound_total, "carterfone_esme_binds_total", "Binds of customers' ESMEs")
METRIC_COUNTER(denied_total, "carterfone_esme_binds_refused_total", "Binds refused: credentials, or too many")

static const int64_t LATE_US = 250 * (int64_t)US_PER_MS, LATEST_US = 4 * (int64_t)US_PER_S, FORGIVEN_US = 600 * (int64_t)US_PER_S;

/* -- wrong ones, by address ----------------------------------------------------------------------------------------- */
struct guess {
    unsigned n;
    int64_t  last_us;                   /* mono */
};

void esme_guesses_free(struct esme_server *s)
{
    struct str address;
    void *guess;
    for (size_t at = 0; s->guesses && strmap_next(s->guesses, &at, &address, &guess);)
        free(guess);
    strmap_free(s->guesses);
    s->guesses = NULL;
}

static struct guess *guess_of(struct esme_server *s, struct str address)
{
    struct guess *g = strmap_find(s->guesses, address);
    if (g)
        return g;
    if (strmap_count(s->guesses) >= GUESSES_MAX) {
        esme_guesses_free(s);
        s->guesses = strmap_new();
    }
    g = s->guesses ? calloc(1, sizeof *g) : NULL;
    if (g && strmap_put(s->guesses, address, g)) {
        free(g);
        g = NULL;
    }
    return g;
}

/* How late to say no: 0.25 s, doubling to 4 s; forgotten after ten minutes of peace. */
static int64_t wrong_again(struct esme_server *s, const char *address)
{
    struct guess *g = guess_of(s, str_of(address));
    int64_t now = clock_mono().us;
    if (!g)
        return LATEST_US;
    if (now - g->last_us > FORGIVEN_US)
        g->n = 0;
    g->last_us = now;
    int64_t late = g->n < 8 ? LATE_US << g->n : LATEST_US;
    g->n++;
    return late < LATEST_US ? late : LATEST_US;
}

/* -- asked of control ----------------------------------------------------------------------------------------------- */
struct proving {
    struct inbox_item   item;           /* there and back */
    struct esme_server *server;
    uint64_t            link;
    bool                again;          /* it is bound already */
    char                system_id[16], password[9];
    enum err            err;
    uint64_t            resource;
    char                name[64];
};

static void proving_free(struct proving *p)
{
    explicit_bzero(p->password, sizeof p->password);
    free(p);
}

static void drop_proving(struct inbox_item *item)
{
    proving_free(container_of(item, struct proving, item));
}

/* The answer waits: the link's own timer says it. */
static void deny_later(struct esme_link *l, uint32_t status, int64_t late_us)
{
    l->denial = status;
    loop_timer_start(&l->deny, late_us);
}

void esme_bind_deny(void *arg)
{
    struct esme_link *l = arg;
    uint32_t status = l->denial;
    l->denial = 0;
    metric_add(&denied_total, 1);
    smpp_session_welcome(l->session, status);
    if (++l->tries >= BIND_TRIES)
        smpp_session_drop(l->session);
}

static void welcome(struct esme_link *l, const struct proving *p)
{
    struct customer *c = esme_customer(l->server, p->resource);
    if (!c || c->binds >= l->server->conf.limits.binds) {
        log_warn("smpp", "ESME %s: %s has %u binds, and may have no more (--smpp-limits binds)", l->peer, p->name,
                 l->server->conf.limits.binds);
        deny_later(l, ESME_RBINDFAIL, LATE_US);
        return;
    }
    c->binds++;
    l->customer = c;
    str_copyz(l->name, sizeof l->name, str_of(p->name));
    metric_add(&bound_total, 1);
    const char *tls = smpp_session_tls_words(l->session);
    log_info("smpp", "ESME %s: bound as %s, %s", l->peer, l->name, tls ? tls : "in clear");
    smpp_session_welcome(l->session, ESME_ROK);
}

static void on_proved(void *owner, struct inbox_item *item)
{
    struct esme_server *s = owner;
    struct proving *p = container_of(item, struct proving, item);
    struct esme_link *l = esme_link_find(s, p->link);
    if (l && p->again && p->err) {
        log_warn("smpp", "ESME %s: the key it bound with has ended", l->peer);
        smpp_session_unbind(l->session);
    } else if (l && !p->again && p->err) {
        log_warn("smpp", "ESME %s: bind refused: %s", l->peer,
                 p->err == ERR_ABSENT ? "no resource has that system_id" : p->err == ERR_UNPROVEN ? "wrong password"
                 : p->err == ERR_FORBIDDEN ? "the resource's keys are disabled" : err_words(p->err));
        deny_later(l, p->err == ERR_BUSY ? ESME_RBINDFAIL : ESME_RINVPASWD, wrong_again(s, l->address));
    } else if (l && !p->again) {
        welcome(l, p);
    }
    proving_free(p);
}

static const struct inbox_kind proved_kind = { "esmes.proved", on_proved, drop_proving };

static void on_prove(void *owner, struct inbox_item *item)      /* control */
{
    (void)owner;
    struct proving *p = container_of(item, struct proving, item);
    const struct resource *r = NULL;
    p->err = accounts_prove_esme(p->server->conf.accounts, str_of(p->system_id), str_of(p->password), &r);
    if (!p->err) {
        p->resource = r->key;
        str_copyz(p->name, sizeof p->name, str_of(r->name));
    }
    p->item.kind = &proved_kind;
    inbox_post_always(loop_inbox(p->server->loop), &p->item);
}

static const struct inbox_kind prove_kind = { "esmes.prove", on_prove, drop_proving };

static enum err prove(struct esme_link *l, bool again)
{
    struct proving *p = malloc(sizeof *p);
    if (!p)
        return ERR_NOMEM;
    *p = (struct proving){ .item.kind = &prove_kind, .server = l->server, .link = l->id, .again = again };
    memcpy(p->system_id, l->system_id, sizeof p->system_id);
    memcpy(p->password, l->password, sizeof p->password);
    enum err err = inbox_post(control_inbox(l->server->conf.control), &p->item);
    if (err)
        proving_free(p);
    return err;
}

uint32_t esme_bind_ask(struct esme_link *l, const struct smpp_pdu *pdu)
{
    const struct smpp_bind *b = &pdu->bind;
    l->bind = pdu->command;
    str_copyz(l->system_id, sizeof l->system_id, b->system_id);
    str_copyz(l->password, sizeof l->password, b->password);
    if (b->system_id.n >= sizeof l->system_id || b->password.n >= sizeof l->password)
        l->system_id[0] = l->password[0] = 0;           /* no resource has these */
    return prove(l, false) ? ESME_RBINDFAIL : SMPP_BIND_LATER;
}

void esme_bind_again(struct esme_link *l)
{
    if (prove(l, true))                 /* it cannot be asked: then it must bind again */
        smpp_session_unbind(l->session);
}

/* -- the mailbox is told who can take letters ------------------------------------------------------------------------ */
struct counted {
    struct inbox_item   item;
    struct esme_server *server;
    uint64_t            resource;
    unsigned            receivers;
};

static void on_counted(void *owner, struct inbox_item *item)    /* control */
{
    (void)owner;
    struct counted *c = container_of(item, struct counted, item);
    mailbox_bound(messages_mailbox(c->server->conf.messages), c->resource, c->receivers);
    free(c);
}

static const struct inbox_kind counted_kind = { "esmes.counted", on_counted, NULL };

static void tell_receivers(struct esme_server *s, const struct customer *c)
{
    struct counted *t = malloc(sizeof *t);
    if (!t) {
        log_error("smpp", "out of memory: letters wait until another ESME binds");
        return;
    }
    *t = (struct counted){ .item.kind = &counted_kind, .server = s, .resource = c->resource, .receivers = c->receivers };
    inbox_post_always(control_inbox(s->conf.control), &t->item);        /* one a bind */
}

/* Its timer looks again when the last message will be as old as that, so that traffic itself need not touch it. */
void esme_bind_idle(void *arg)
{
    struct esme_link *l = arg;
    int64_t left = l->active_us + l->server->conf.limits.idle_us - clock_mono().us;
    if (left > 0) {
        loop_timer_start(&l->idle, left);
        return;
    }
    log_info("smpp", "ESME %s: no message went for long (--smpp-limits idle), unbound", l->peer);
    smpp_session_unbind(l->session);
}

void esme_bind_up(struct esme_link *l)
{
    l->active_us = clock_mono().us;
    if (l->server->conf.limits.idle_us)
        loop_timer_start(&l->idle, l->server->conf.limits.idle_us);
    if (!smpp_session_may_deliver(l->session))
        return;
    l->customer->receivers++;
    tell_receivers(l->server, l->customer);
    esme_out_pump(l->customer, l->server);
}

void esme_bind_down(struct esme_link *l)
{
    struct customer *c = l->customer;
    if (!c)
        return;
    l->customer = NULL;
    c->binds--;
    if (!smpp_session_may_deliver(l->session))
        return;
    c->receivers--;
    if (!c->receivers)
        esme_out_return(c, l->server);
    tell_receivers(l->server, c);
}
