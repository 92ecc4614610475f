/* operator_network.c - carriers, trunks, and the handsets of the simulated network. */
#include "codec/e164/e164.h"
#include "domain/numbers/numbers.h"
#include "domain/rules.h"
#include "edge/api/operator_priv.h"

#include <string.h>

static void on_added(void *arg, enum err err, const struct problem *why)
{
    struct http_call *hc = arg;
    if (err) {
        hc->why = *why;
        http_fail(hc, err);
        return;
    }
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_text(&w, "name", json_text_of(hc->json, "name"));
    jw_text(&w, "host", json_text_of(hc->json, "host"));
    jw_end(&w);
    http_reply(hc, 201);
}

static enum err add(struct http_call *hc, const char *kind)
{
    enum err err = operator_only(hc);
    return err ? err : hc->api->carrier_add(hc->api->carriers, kind, hc->json, on_added, hc, &hc->why);
}

static void write_smscs(const struct http_call *hc, struct jw *w)
{
    hc->api->carriers_write(hc->api->carriers, "smsc", w);
}

static void write_trunks(const struct http_call *hc, struct jw *w)
{
    hc->api->carriers_write(hc->api->carriers, "trunk", w);
}

enum err smscs_get(struct http_call *hc)
{
    return operator_answer_all(hc, write_smscs);
}

enum err smscs_post(struct http_call *hc)
{
    return add(hc, "smsc");
}

static void on_changed(void *arg, enum err err, const struct problem *why)
{
    struct http_call *hc = arg;
    if (err) {
        hc->why = *why;
        http_fail(hc, err);
        return;
    }
    http_reply(hc, 204);
}

enum err smsc_patch(struct http_call *hc)
{
    enum err err = operator_only(hc);
    return err ? err : hc->api->carrier_change(hc->api->carriers, hc->params[0], hc->json, on_changed, hc, &hc->why);
}

enum err smsc_delete(struct http_call *hc)
{
    enum err err = operator_only(hc);
    return err ? err : hc->api->carrier_remove(hc->api->carriers, hc->params[0], on_changed, hc, &hc->why);
}

static void on_tested(void *arg, enum err err, struct str json, const struct problem *why)
{
    struct http_call *hc = arg;
    (void)why;
    if (err == ERR_ABSENT)
        rule_problem(&hc->why, err, RULE_NOTHING_THERE);
    if (err) {
        http_fail(hc, err);
        return;
    }
    buf_puts(&hc->out, json);
    http_reply(hc, 200);
}

static enum err trial_field(struct http_call *hc, const char *name, const char *what)
{
    enum err err = rule_problem(&hc->why, ERR_RANGE, RULE_SMSC_TEST_INVALID, name, what);
    problem_target(&hc->why, "%s", name);
    return err;
}

/* A report of what the SMSC does; with `to` messages leave, as the operator's own. */
enum err smsc_test_post(struct http_call *hc)
{
    static const struct json_shape shapes[] = { { "from", JSON_IS_TEXT }, { "to", JSON_IS_TEXT }, { "burst", JSON_IS_INTEGER }, { "wait", JSON_IS_INTEGER } };
    enum err err = operator_only(hc);
    if (!err && hc->json)
        err = json_expect(hc->json, shapes, ARRAY_LEN(shapes), &hc->why);
    if (err)
        return err;
    struct carrier_trial trial = { .name = hc->params[0], .from = json_text_of(hc->json, "from"), .to = json_text_of(hc->json, "to") };
    int64_t burst = json_int_of(hc->json, "burst", 0), wait_s = json_int_of(hc->json, "wait", 10);
    const struct lease *lease = numbers_lease(hc->api->numbers, trial.from);
    uint64_t digits;
    if (burst < 0 || burst > 1000)
        return trial_field(hc, "burst", "0 to 1000 submits");
    if (wait_s < 1 || wait_s > 25)
        return trial_field(hc, "wait", "1 to 25 seconds");
    if (trial.to.n && e164_read_plus(trial.to, &digits))
        return trial_field(hc, "to", "a phone number such as +12065550123");
    if (trial.to.n && !lease)
        return trial_field(hc, "from", "a leased number: with `to` messages leave");
    trial.from_simulated = lease && lease->simulated;
    trial.burst = (unsigned)burst;
    trial.wait_s = (unsigned)wait_s;
    return hc->api->carrier_test(hc->api->carriers, &trial, on_tested, hc, &hc->why);
}

enum err trunks_get(struct http_call *hc)
{
    return operator_answer_all(hc, write_trunks);
}

enum err trunks_post(struct http_call *hc)
{
    return add(hc, "trunk");
}

/* -- handsets: a command passes through to the simulated networks, its answer comes back --------------------------- */

/* The simulated networks know no rules; these are theirs. */
static void name_rule_of(struct problem *why, enum err err)
{
    static const struct { const char *code; enum rule rule; } known[] = {
        { "HandsetHasNoCall", RULE_HANDSET_HAS_NO_CALL }, { "HandsetInCall", RULE_HANDSET_IN_CALL },
    };
    char text[sizeof why->text];
    memcpy(text, why->text, sizeof text);
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (str_eqz(str_of(why->code), known[i].code))
            rule_problem(why, err, known[i].rule, text);
}

/* The simulator answers on its own thread; the http_call may be answered from any. */
static void on_commanded(void *arg, enum err err, struct str answer, const struct problem *why)
{
    struct http_call *hc = arg;
    if (err) {
        hc->why = *why;
        name_rule_of(&hc->why, err);
        http_fail(hc, err);
        return;
    }
    buf_puts(&hc->out, answer);
    http_reply(hc, 200);
}

/* It went to the wire; whether anybody takes it there was known before. */
static void on_texted(void *arg, enum err err, struct str answer, const struct problem *why)
{
    struct http_call *hc = arg;
    const char *note = hc->rq;
    if (err || !note) {
        on_commanded(arg, err, answer, why);
        return;
    }
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_textz(&w, "note", note);
    jw_end(&w);
    http_reply(hc, 200);
}

/* The body's members and the number of the path, as one object. */
static void arguments(struct http_call *hc, struct buf *out)
{
    struct jw w = jw_of(out);
    struct str name;
    const struct json *value;
    jw_object(&w, NULL);
    if (hc->params[0].n)
        jw_text(&w, "number", hc->params[0]);
    for (void *at = NULL; json_next(hc->json, &at, &name, &value);)
        if (!str_eqz(name, "number"))
            jw_json(&w, name.p, value);
    jw_end(&w);
}

static enum err command_then(struct http_call *hc, struct str verb, void (*then)(void *, enum err, struct str, const struct problem *))
{
    enum err err = operator_only(hc);
    if (!err && !hc->api->sim_command)
        err = rule_problem(&hc->why, ERR_ABSENT, RULE_SIMULATOR_OFF);
    if (err)
        return err;
    scoped_buf args = { 0 };
    arguments(hc, &args);
    if (args.bad)
        return ERR_NOMEM;
    return hc->api->sim_command(hc->api->sim, verb, buf_str(&args), then, hc);
}

static enum err command(struct http_call *hc, struct str verb)
{
    return command_then(hc, verb, on_commanded);
}

/* Why nobody here takes a text of that handset, in words; NULL: somebody does. */
static const char *text_note(struct http_call *hc, struct str to)
{
    struct problem why = { 0 };
    const struct lease *lease = numbers_lease(hc->api->numbers, to);
    if (!lease)
        return arena_printf(hc->arena, STR_FMT " is no number that is leased here: nobody takes it", STR_ARG(to)).p;
    if (!lease->simulated)
        return arena_printf(hc->arena, STR_FMT " is a real number: no telephone of the simulated network reaches it", STR_ARG(to)).p;
    if (!numbers_may_be_texted(hc->api->numbers, lease, hc->params[0], &why))
        return NULL;
    return arena_printf(hc->arena, "nobody takes it: %s", why.text).p;
}

/* -- the simulated SMSC ---------------------------------------------------------------------------------------------- */
enum err sim_smsc_get(struct http_call *hc)
{
    return command(hc, STR("smsc.show"));
}

enum err sim_smsc_patch(struct http_call *hc)
{
    return command(hc, STR("smsc.set"));
}

enum err sim_smsc_reset_post(struct http_call *hc)
{
    return command(hc, STR("smsc.reset"));
}

enum err sim_smsc_cut_post(struct http_call *hc)
{
    return command(hc, STR("smsc.cut"));
}

enum err sim_smsc_outage_post(struct http_call *hc)
{
    return command(hc, STR("smsc.outage"));
}

enum err sim_smsc_inject_post(struct http_call *hc)
{
    return command(hc, STR("smsc.inject"));
}

enum err handsets_get(struct http_call *hc)
{
    enum err err = http_query_known(hc, NULL, 0);
    return err ? err : command(hc, STR("handset.list"));
}

enum err handset_inbox_get(struct http_call *hc)
{
    return command(hc, STR("handset.inbox"));
}

enum err handset_sms_post(struct http_call *hc)
{
    struct str to = json_text_of(hc->json, "to");
    hc->rq = to.n ? (void *)(uintptr_t)text_note(hc, to) : NULL;
    return command_then(hc, STR("handset.sms"), on_texted);
}

enum err handset_attach_post(struct http_call *hc)
{
    return command(hc, STR("handset.attach"));
}

enum err handset_answer_post(struct http_call *hc)
{
    return command(hc, STR("handset.answer"));
}

enum err handset_press_post(struct http_call *hc)
{
    return command(hc, STR("handset.press"));
}

enum err handset_dial_post(struct http_call *hc)
{
    return command(hc, STR("handset.dial"));
}

enum err handset_hangup_post(struct http_call *hc)
{
    return command(hc, STR("handset.hangup"));
}

enum err handset_detach_post(struct http_call *hc)
{
    return command(hc, STR("handset.detach"));
}

enum err handset_reject_post(struct http_call *hc)
{
    return command(hc, STR("handset.reject"));
}

enum err handset_say_post(struct http_call *hc)
{
    return command(hc, STR("handset.say"));
}

enum err handset_record_post(struct http_call *hc)
{
    return command(hc, STR("handset.record"));
}

enum err handset_set_post(struct http_call *hc)
{
    return command(hc, STR("handset.set"));
}

enum err handset_clear_post(struct http_call *hc)
{
    return command(hc, STR("handset.clear"));
}

enum err sim_handsets_get(struct http_call *hc)
{
    return command(hc, STR("handset.behaviours"));
}
