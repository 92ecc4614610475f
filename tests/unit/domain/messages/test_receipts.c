/* Whose receipt it is: two binds of one SMSC and another SMSC, ids in every form, receipts in any order, through restarts. A receipt may
 * stay with nobody, but it is never another message's. */
#include "domain/messages/messages.h"
#include "domain/messages/messages_priv.h"      /* on_early_over(): 30 s of the clock that nothing moves */
#include "unit/cm.h"
#include "unit/domain/scripted.h"
#include "unit/tmp.h"

#include <stdio.h>

enum { SENT = 12, ROUNDS = 3, BINDS = 3 };

struct bind {
    struct carrier_script script;       /* first: its ops are asked with it */
    const char           *smsc;
    enum carrier_id_form  form;
};

struct stage {
    struct tmp            tmp;
    struct world         *w;
    struct events        *ev;
    struct messages      *m;
    struct courier_script courier;
    struct bind           binds[BINDS]; /* out, in: of one SMSC; other: of another */
    char                  from[20];
    char                  ids[SENT][SMS_ID_SIZE];
    uint64_t              keys[SENT];
    size_t                n, settled;
    int                   told;
    char                  json[8192];
    struct problem        why;
};

static uint64_t chance = 77;

static uint64_t any(uint64_t below)
{
    chance ^= chance << 13, chance ^= chance >> 7, chance ^= chance << 17;
    return chance % below;
}

static void on_settle(void *self, uint64_t token, enum err err)
{
    (void)self, (void)token;
    assert_int_equal(err, ERR_NONE);
}

static void on_profile(void *self, struct carrier_profile *out)
{
    const struct bind *b = self;
    *out = (struct carrier_profile){ .smsc = str_of(b->smsc), .ids = b->form };
}

static const struct carrier_ops ops = { .submit = carrier_script_submit, .settle = on_settle, .profile = on_profile };
static const struct carrier_ops receiver = { .settle = on_settle, .profile = on_profile };

static void tell(struct stage *s, size_t bind, struct carrier_news n)
{
    n.carrier = s->binds[bind].script.number;
    assert_int_equal(messages_tell(s->m, &n), ERR_NONE);
    inbox_drain(control_inbox(&s->w->control));
}

static void open_stage(struct stage *s)
{
    struct problem why = { 0 };
    s->w = world_new_at(tmp_file(&s->tmp, "carterfone.db"));
    assert_int_equal(events_new(&s->ev, &s->w->control, &courier_script_ops, &s->courier), ERR_NONE);
    assert_int_equal(events_load(s->ev, &why), ERR_NONE);
    assert_int_equal(messages_new(&s->m, &s->w->control, s->w->accounts, s->w->numbers, s->ev), ERR_NONE);
    assert_int_equal(messages_load(s->m, &why), ERR_NONE);
    s->binds[1].script.number = messages_add_carrier(s->m, STR("in"), true, &receiver, &s->binds[1]);
    s->binds[2].script.number = messages_add_carrier(s->m, STR("other"), false, &ops, &s->binds[2]);
    s->binds[0].script.number = messages_add_carrier(s->m, STR("out"), true, &ops, &s->binds[0]);
    messages_resume(s->m);
    for (size_t i = 0; i < BINDS; i++) {
        s->binds[i].script.n = 0;
        tell(s, i, (struct carrier_news){ .kind = CARRIER_UP });
    }
}

static void close_stage(struct stage *s)
{
    messages_free(s->m);
    events_free(s->ev);
    world_free(s->w);
}

static void restart(struct stage *s)
{
    int64_t now = s->w->now_us;
    close_stage(s);
    open_stage(s);
    s->w->now_us = now;
    clock_freeze(s->w->control.clock, now);
    agenda_catch_up(s->w->control.agenda);
}

static struct stage *stage_new(enum carrier_id_form form)
{
    struct stage *s = calloc(1, sizeof *s);
    s->tmp = tmp_new();
    for (size_t i = 0; i < BINDS; i++)
        s->binds[i] = (struct bind){ .smsc = i == 2 ? "you@other" : "you@smsc", .form = form };
    open_stage(s);
    e164_write(s->from, lease_one(s->w, s->w->us, toll_free_in("833", 1)));
    return s;
}

static void stage_free(struct stage *s)
{
    close_stage(s);
    tmp_free(&s->tmp);
    free(s);
}

/* -- messages ---------------------------------------------------------------------------------------------------------- */

static void phone_of(char dst[20], size_t i)
{
    snprintf(dst, 20, "+120655501%02zu", i);
}

static void on_sent(void *arg, enum err err, const struct sms_result *results, size_t n)
{
    struct stage *s = arg;
    assert_int_equal(err, ERR_NONE);
    assert_int_equal(n, 1);
    snprintf(s->ids[s->n], sizeof s->ids[0], "%s", results[0].id);
}

static void send_to(struct stage *s, const char *phone)
{
    struct sms_recipient to = { str_of(phone), STR("") };
    struct sms_send rq = { .resource = s->w->us, .from = str_of(s->from), .recipients = &to, .n = 1, .text = STR("x") };
    assert_int_equal(messages_send(s->m, &rq, on_sent, s, &s->why), ERR_NONE);
    world_settle(s->w);
    struct carrier_script *out = &s->binds[0].script;
    s->keys[s->n++] = out->sm[out->n - 1].message;
}

static void answered(struct stage *s, size_t i, const char *id)
{
    tell(s, 0, (struct carrier_news){ .kind = CARRIER_SUBMITTED, .message = s->keys[i], .segments = 1, .remote_id = str_of(id) });
}

static void receipt(struct stage *s, size_t bind, const char *id, enum carrier_state state, const char *phone)
{
    tell(s, bind, (struct carrier_news){ .kind = CARRIER_RECEIPT, .token = ++s->settled, .remote_id = str_of(id), .state = state,
                                         .from = str_of(phone), .to = str_of(s->from) });
}

static void on_json(void *arg, enum err err, struct str json)
{
    struct stage *s = arg;
    assert_int_equal(err, ERR_NONE);
    s->told++;
    str_copyz(s->json, sizeof s->json, json);
}

/* Of message i: "submitted", "delivered", "failed". */
static bool is(struct stage *s, size_t i, const char *state)
{
    char wanted[40];
    s->told = 0;
    inbox_drain(control_inbox(&s->w->control));
    assert_int_equal(messages_show(s->m, s->w->us, str_of(s->ids[i]), on_json, s), ERR_NONE);
    for (int k = 0; k < 100 && !s->told; k++) {
        inbox_wait(control_inbox(&s->w->control), 100);
        inbox_drain(control_inbox(&s->w->control));
    }
    snprintf(wanted, sizeof wanted, "\"state\":\"%s\"", state);
    return strstr(s->json, wanted) != NULL;
}

/* -- ids --------------------------------------------------------------------------------------------------------------------- */

static void write_id(char dst[64], uint64_t v, bool hex)
{
    static const char *const forms[] = { "%llu", "%llx", "%llX", "%08llu", "%016llx", "%012llX" };
    size_t of = hex ? (size_t[]){ 1, 2, 4, 5 }[any(4)] : (size_t[]){ 0, 3 }[any(2)];
    snprintf(dst, 64, forms[of], (unsigned long long)v);
}

/* Numbers of which many mean another one when they are read in the other base. */
static uint64_t any_id(const uint64_t *had, size_t n)
{
    for (;;) {
        uint64_t v = any(4) ? 10 + any(90) : any(UINT64_MAX);
        bool fresh = true;
        for (size_t i = 0; i < n; i++)
            fresh = fresh && had[i] != v;
        if (fresh)
            return v;
    }
}

static const struct { enum carrier_id_form form; bool answer_hex, receipt_hex; } forms[] = {
    { CARRIER_ID_SAME, false, false }, { CARRIER_ID_SAME, true, true }, { CARRIER_ID_HEX_DEC, true, false }, { CARRIER_ID_DEC_HEX, false, true },
};

/* Four phones, whose messages end in different ways. */
static bool ends_well(size_t i)
{
    return i / 4 % 2 == 0;
}

static void shuffled(size_t order[SENT])
{
    for (size_t i = 0; i < SENT; i++)
        order[i] = i;
    for (size_t i = SENT - 1; i > 0; i--) {
        size_t k = any(i + 1), was = order[i];
        order[i] = order[k];
        order[k] = was;
    }
}

static void give(struct stage *s, size_t i, const char *id)
{
    char phone[20];
    phone_of(phone, i % 4);
    if (any(3) == 0)                    /* an SMSC that has nothing to do with it says otherwise */
        receipt(s, 2, id, ends_well(i) ? RECEIPT_UNDELIVERABLE : RECEIPT_DELIVERED, phone);
    receipt(s, any(2), id, ends_well(i) ? RECEIPT_DELIVERED : RECEIPT_UNDELIVERABLE, phone);
}

/* All are answered, some after their receipt; the other receipts come in any order, by either bind, maybe after a restart. */
static void round_of(enum carrier_id_form told, size_t f)
{
    struct stage *s = stage_new(told);
    uint64_t numbers[SENT];
    size_t order[SENT];
    char phone[20], answer[SENT][64], said[SENT][64];
    bool had[SENT] = { false };
    for (size_t i = 0; i < SENT; i++) {
        numbers[i] = any_id(numbers, i);
        write_id(answer[i], numbers[i], forms[f].answer_hex);
        write_id(said[i], numbers[i], forms[f].receipt_hex);
        phone_of(phone, i % 4);
        send_to(s, phone);
    }
    for (size_t i = 0; i < SENT; i++) {
        had[i] = told != CARRIER_ID_AUTO && any(4) == 0;
        if (had[i])
            give(s, i, said[i]);
        answered(s, i, answer[i]);
    }
    world_settle(s->w);
    if (any(2))
        restart(s);
    shuffled(order);
    for (size_t i = 0; i < SENT; i++)
        if (!had[order[i]])
            give(s, order[i], said[order[i]]);
    world_settle(s->w);
    for (size_t i = 0; i < SENT; i++) {
        bool right = is(s, i, ends_well(i) ? "delivered" : "failed");
        if (!right && (told != CARRIER_ID_AUTO || !is(s, i, "submitted")))
            fail_msg("message %zu, answered %s, receipt %s: %s", i, answer[i], said[i], s->json);
    }
    stage_free(s);
}

static void every_receipt_finds_its_message_when_the_form_is_told(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++)
        for (size_t f = 0; f < ARRAY_LEN(forms); f++)
            round_of(forms[f].form, f);
}

static void none_is_anothers_while_the_form_is_learned(void **state)
{
    (void)state;
    for (int i = 0; i < ROUNDS; i++)
        for (size_t f = 0; f < ARRAY_LEN(forms); f++)
            round_of(CARRIER_ID_AUTO, f);
}

/* -- what one id may mean ---------------------------------------------------------------------------------------------------- */

/* 10 is the second's in one form, and the first's (a in hexadecimal) in another. */
static void an_id_that_may_mean_two_messages_is_nobodys_until_the_numbers_say(void **state)
{
    (void)state;
    struct stage *s = stage_new(CARRIER_ID_AUTO);
    send_to(s, "+12065550100");
    send_to(s, "+12065550101");
    answered(s, 0, "a");
    answered(s, 1, "10");
    receipt(s, 0, "10", RECEIPT_DELIVERED, "");         /* an SMSC that leaves addresses out */
    world_settle(s->w);
    assert_true(is(s, 0, "submitted") && is(s, 1, "submitted"));
    receipt(s, 0, "10", RECEIPT_DELIVERED, "+12065550100");
    world_settle(s->w);
    assert_true(is(s, 0, "delivered") && is(s, 1, "submitted"));
    stage_free(s);
}

static void addresses_that_are_turned_round_or_written_at_home_agree(void **state)
{
    (void)state;
    struct stage *s = stage_new(CARRIER_ID_AUTO);
    send_to(s, "+12065550100");
    send_to(s, "+12065550101");
    answered(s, 0, "A1");
    answered(s, 1, "A2");
    receipt(s, 1, "A1", RECEIPT_DELIVERED, "2065550100");
    tell(s, 1, (struct carrier_news){ .kind = CARRIER_RECEIPT, .token = 99, .remote_id = STR("A2"), .state = RECEIPT_DELIVERED,
                                      .from = str_of(s->from), .to = STR("+12065550101") });
    world_settle(s->w);
    assert_true(is(s, 0, "delivered") && is(s, 1, "delivered"));
    stage_free(s);
}

static void thirty_seconds_go_by(struct stage *s)
{
    early_hurry(s->m);
    on_early_over(s->m);
    world_settle(s->w);
}

/* By its numbers alone, for an SMSC none of whose ids ever matched. */
static void a_foreign_id_is_the_only_candidates_and_nobodys_among_two(void **state)
{
    (void)state;
    struct stage *s = stage_new(CARRIER_ID_AUTO);
    send_to(s, "+12065550100");
    send_to(s, "+12065550101");
    send_to(s, "+12065550101");
    for (size_t i = 0; i < 3; i++) {
        char id[8];
        snprintf(id, sizeof id, "A%zu", i);
        answered(s, i, id);
    }
    receipt(s, 1, "internal-7", RECEIPT_DELIVERED, "+12065550100");
    receipt(s, 1, "internal-8", RECEIPT_DELIVERED, "+12065550101");
    world_settle(s->w);
    assert_true(is(s, 0, "submitted"));
    thirty_seconds_go_by(s);
    assert_true(is(s, 0, "delivered"));
    assert_true(is(s, 1, "submitted") && is(s, 2, "submitted"));
    stage_free(s);
}

static void where_ids_match_a_foreign_one_is_nobodys(void **state)
{
    (void)state;
    struct stage *s = stage_new(CARRIER_ID_AUTO);
    send_to(s, "+12065550100");
    send_to(s, "+12065550101");
    answered(s, 0, "A0");
    answered(s, 1, "A1");
    receipt(s, 0, "A0", RECEIPT_DELIVERED, "+12065550100");
    receipt(s, 0, "A0", RECEIPT_DELIVERED, "+12065550100");         /* again: it must not become the next one's */
    receipt(s, 0, "internal-8", RECEIPT_DELIVERED, "+12065550101");
    thirty_seconds_go_by(s);
    assert_true(is(s, 1, "submitted"));
    stage_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_receipt_finds_its_message_when_the_form_is_told),
        cmocka_unit_test(none_is_anothers_while_the_form_is_learned),
        cmocka_unit_test(an_id_that_may_mean_two_messages_is_nobodys_until_the_numbers_say),
        cmocka_unit_test(addresses_that_are_turned_round_or_written_at_home_agree),
        cmocka_unit_test(a_foreign_id_is_the_only_candidates_and_nobodys_among_two),
        cmocka_unit_test(where_ids_match_a_foreign_one_is_nobodys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
