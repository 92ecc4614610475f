/* guard_requests.c - guards that the operator adds, changes, removes or looks at. */
#include "base/str.h"
#include "domain/messages/guards.h"
#include "domain/messages/messages_priv.h"
#include "domain/numbers/catalogue.h"
#include "domain/rules.h"
#include "store/guards.h"

#include <stdio.h>

/* A change on its way to disk; memory follows. */
struct guard_change {
    struct messages   *m;
    bool               removes;
    struct sms_guard   guard;
    messages_guard_fn *done;
    void              *arg;
};

static void on_written(void *mine, enum err err)
{
    struct guard_change *c = mine;
    struct problem why = { 0 };
    if (err == ERR_CONFLICT)
        err = rule_problem(&why, err, RULE_GUARD_TAKEN, c->guard.name);
    if (!err && c->removes)
        guards_take(c->m->guards, str_of(c->guard.name));
    else if (!err)
        err = guards_put(c->m->guards, &c->guard);      /* the row is there all the same: it is read at the next start */
    if (!err)
        holding_changed(c->m, c->guard.kind);
    c->done(c->arg, err, &why);
}

static enum err field(struct problem *why, const char *name, const char *what)
{
    enum err err = rule_problem(why, ERR_RANGE, RULE_GUARD_FIELD_INVALID, name, what);
    problem_target(why, "%s", name);
    return err;
}

static bool is_word(const char *s, const char *others)
{
    for (; *s; s++)
        if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') || strchr(others, *s)))
            return false;
    return true;
}

static bool is_limit(enum guard_kind kind)
{
    return kind <= GUARD_CARRIER || kind == GUARD_REPLY;
}

static bool means_senders(enum guard_kind kind)
{
    return kind == GUARD_SENDER || kind == GUARD_OPTOUT || kind == GUARD_REPLY;
}

/* The type of number in a match, behind the carrier if there is one; NULL: it has no letter there, it is a number or '*'. */
static char *type_in(struct sms_guard *g)
{
    char *slash = strchr(g->match, '/'), *word = slash ? slash + 1 : g->match;
    bool letter = false;
    for (const char *c = word; *c; c++)
        letter |= (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
    return means_senders(g->kind) && letter ? word : NULL;
}

/* However it is written: geographic is local. */
static enum err name_type(struct sms_guard *g, struct problem *why)
{
    enum number_type type;
    char *word = type_in(g);
    if (!word)
        return ERR_NONE;
    if (catalogue_type_read(str_of(word), &type))
        return field(why, "match", "a number, its beginning and '*', '*' alone, or a type: local, toll-free, mobile, 10DLC or short-code");
    snprintf(word, sizeof g->match - (size_t)(word - g->match), "%s", number_type_in_words(type));
    return ERR_NONE;
}

static enum err check_match(const struct sms_guard *g, struct problem *why)
{
    bool digits = strspn(g->match, "0123456789") == strlen(g->match);
    if (!is_word(g->match, "+*._:/-") || (strchr(g->match, '*') && strchr(g->match, '*')[1]))
        return field(why, "match", "a number, its beginning and '*', a type of number, a name, or '*' alone");
    if ((g->kind == GUARD_PREFIX || g->kind == GUARD_PUMPING) && !digits)
        return field(why, "match", "digits that recipients begin with, such as +44 or 1206");
    if (strchr(g->match, '/') && g->kind != GUARD_OPTOUT)
        return field(why, "match", "without '/'");
    if (g->on && !g->match[0] && g->kind != GUARD_PUMPING)
        return field(why, "match", "given before the guard is switched on: it says whom it means");
    return ERR_NONE;
}

static enum err check_quiet(const struct sms_guard *g, struct problem *why)
{
    int length = (g->until - g->from + 24 * 60) % (24 * 60);
    if (g->from >= 24 * 60)
        return field(why, "from", "a time of the day, such as 21:00");
    if (g->until >= 24 * 60)
        return field(why, "until", "a time of the day, such as 08:00");
    if (!length || length > GUARD_QUIET_MOST)
        return field(why, "until", "later than from, by 16 hours at most");
    return ERR_NONE;
}

static enum err check_optout(const struct sms_guard *g, struct problem *why)
{
    if (g->handling == OPTOUT_BY_DEFAULT)
        return field(why, "handling", "carrier, platform or none");
    if (g->language[0] && !keyword_language(str_of(g->language)))
        return field(why, "language", "one of data/optout/texts.csv, such as en, es or de");
    return ERR_NONE;
}

static enum err check(const struct sms_guard *g, struct problem *why)
{
    if (!g->name[0] || !is_word(g->name, "._-"))
        return field(why, "name", "1 to 63 of A-Z, a-z, 0-9, '.', '_' and '-'");
    enum err err = check_match(g, why);
    if (err || g->kind == GUARD_QUIET)
        return err ? err : check_quiet(g, why);
    if (g->kind == GUARD_OPTOUT)
        return check_optout(g, why);
    if (g->count < 1 || g->count > GUARD_COUNT_MOST)
        return field(why, "count", "1 to 100,000,000 messages in a window");
    if (g->window_s < 1 || g->window_s > GUARD_WINDOW_MOST_S)
        return field(why, "windowSeconds", "1 to 2,678,400 (31 days)");
    if (g->burst > GUARD_COUNT_MOST)
        return field(why, "burst", "how many may go at once, 1 to 100,000,000; 0: as many as count");
    if (g->kind == GUARD_PUMPING && (g->factor < 1 || g->factor > GUARD_FACTOR_MOST))
        return field(why, "factor", "how many times the usual is too much, 1 to 1000");
    if (g->refuses && g->kind != GUARD_SENDER && g->kind != GUARD_RESOURCE && g->kind <= GUARD_CARRIER)
        return field(why, "excess", "wait: only limits of a sender or a resource refuse");
    return ERR_NONE;
}

/* Members that its kind does not have say nothing. */
static struct sms_guard tidy(const struct sms_guard *guard)
{
    struct sms_guard g = *guard;
    if (!is_limit(g.kind))
        g.burst = 0;
    if (g.kind == GUARD_PUMPING || g.kind == GUARD_REPLY)
        g.refuses = true;
    if (g.kind != GUARD_PUMPING)
        g.factor = 0;
    if (g.kind != GUARD_OPTOUT)
        g.handling = OPTOUT_BY_DEFAULT, g.language[0] = '\0';
    if (g.kind == GUARD_QUIET || g.kind == GUARD_OPTOUT)
        g.count = g.window_s = 0, g.refuses = false;
    if (g.kind != GUARD_QUIET)
        g.from = g.until = 0;
    return g;
}

static enum err post(struct messages *m, const struct sms_guard *g, bool removes, struct db_unit *u, messages_guard_fn *done, void *arg,
                     struct problem *why)
{
    struct guard_change *c = malloc(sizeof *c);
    if (c)
        *c = (struct guard_change){ m, removes, *g, done, arg };
    enum err err = control_write(m->control, u, on_written, c);
    return err ? rule_problem(why, err, RULE_STORE_BUSY) : ERR_NONE;
}

static struct sms_guard_row row_of(const struct sms_guard *g)
{
    return (struct sms_guard_row){ str_of(g->name), str_of(guard_kind_word(g->kind)), str_of(g->match), g->on, g->refuses, g->count,
                                   g->window_s, g->burst, g->factor, g->from, g->until,
                                   str_of(g->kind == GUARD_OPTOUT ? optout_handling_word(g->handling) : ""), str_of(g->language) };
}

enum err messages_guard_add(struct messages *m, const struct sms_guard *guard, messages_guard_fn *done, void *arg, struct problem *why)
{
    struct sms_guard g = tidy(guard);
    const struct sms_guard *there = guards_find(m->guards, str_of(g.name));
    if (there)
        return rule_problem(why, ERR_CONFLICT, there->known ? RULE_GUARD_KNOWN : RULE_GUARD_TAKEN, there->name);
    enum err err = name_type(&g, why);
    if (!err)
        err = check(&g, why);
    if (err)
        return err;
    struct db_unit *u = db_unit_new();
    struct sms_guard_row row = row_of(&g);
    sms_guard_row_insert(u, &row);
    return post(m, &g, false, u, done, arg, why);
}

enum err messages_guard_change(struct messages *m, const struct sms_guard *guard, messages_guard_fn *done, void *arg, struct problem *why)
{
    struct sms_guard g = tidy(guard);
    enum err err = name_type(&g, why);
    if (!err)
        err = check(&g, why);
    if (err)
        return err;
    struct db_unit *u = db_unit_new();
    struct sms_guard_row row = row_of(&g);
    sms_guard_row_put(u, &row);
    sms_guard_level_rows_drop(u, row.name);
    return post(m, &g, false, u, done, arg, why);
}

enum err messages_guard_remove(struct messages *m, struct str name, messages_guard_fn *done, void *arg, struct problem *why)
{
    struct sms_guard g;
    enum err err = messages_guard_get(m, name, &g, why);
    if (err)
        return err;
    struct db_unit *u = db_unit_new();
    sms_guard_row_delete(u, name);
    sms_guard_level_rows_drop(u, name);
    return post(m, &g, true, u, done, arg, why);
}

enum err messages_guard_get(const struct messages *m, struct str name, struct sms_guard *out, struct problem *why)
{
    const struct sms_guard *g = guards_find(m->guards, name);
    if (!g) {
        char text[64];
        str_copyz(text, sizeof text, name);
        return rule_problem(why, ERR_ABSENT, RULE_GUARD_NOT_FOUND, text);
    }
    *out = *g;
    return ERR_NONE;
}

/* Whom it names that is not there, so that it means nobody so far; NULL: it means somebody, or may at any time. */
static const char *nobody(const struct messages *m, const struct sms_guard *g)
{
    const struct str account = STR("account:");
    struct str match = str_of(g->match);
    if (!match.n || str_eqz(match, "*"))
        return NULL;
    if (g->kind == GUARD_CARRIER) {
        return slot_named(m, match) ? NULL : "no carrier has that name (`carterfone smsc list`)";
    }
    if (g->kind == GUARD_QUIET && str_starts(match, account))
        return accounts_subscription_named(m->accounts, str_from(match, account.n)) ? NULL : "no account has that name (`carterfone account list`)";
    if (g->kind == GUARD_QUIET || g->kind == GUARD_RESOURCE)
        return accounts_resource_named(m->accounts, match) ? NULL : "no resource has that name (`carterfone resource list`)";
    return NULL;
}

void messages_guard_note(const struct messages *m, const struct sms_guard *g, struct jw *w)
{
    const char *why = nobody(m, g);
    if (why)
        jw_printf(w, "note", "it means nobody so far: %s", why);
}

/* -- looking ---------------------------------------------------------------------------------------------------------- */

void sms_guard_write(const struct sms_guard *g, struct jw *w)
{
    bool digits = g->kind == GUARD_PREFIX || g->kind == GUARD_PUMPING;
    jw_textz(w, "name", g->name);
    jw_textz(w, "kind", guard_kind_word(g->kind));
    jw_printf(w, "match", "%s%s", digits && g->match[0] ? "+" : "", g->match);
    jw_bool(w, "on", g->on);
    jw_bool(w, "builtIn", g->known);
    if (g->kind == GUARD_OPTOUT) {
        jw_textz(w, "handling", optout_handling_word(g->handling));
        jw_textz(w, "language", g->language);
        return;
    }
    if (g->kind == GUARD_QUIET) {
        jw_printf(w, "from", "%02u:%02u", g->from / 60u, g->from % 60u);
        jw_printf(w, "until", "%02u:%02u", g->until / 60u, g->until % 60u);
        return;
    }
    jw_int(w, "count", g->count);
    jw_int(w, "windowSeconds", g->window_s);
    if (is_limit(g->kind))
        jw_int(w, "burst", g->burst ? g->burst : g->count);
    else
        jw_int(w, "factor", g->factor);
    jw_textz(w, "excess", g->refuses ? "refuse" : "wait");
}

void messages_write_guards(const struct messages *m, struct jw *w)
{
    const struct sms_guard *g;
    for (size_t i = 0; (g = guards_at(m->guards, i)); i++) {
        jw_object(w, NULL);
        sms_guard_write(g, w);
        jw_end(w);
    }
}
