/* How many texts a number may send in a time: whole requests, and after a restart. */
#include "domain/messages/messages.h"
#include "domain/numbers/quotas.h"
#include "unit/domain/scripted.h"

struct bench {
    struct world         *w;
    struct events        *ev;
    struct messages      *m;
    struct quotas        *q;
    struct courier_script courier;
    char                  from[E164_SIZE];
    enum err              err;
    struct problem        why;
};

static void begin(struct bench *b)
{
    struct quotas_conf conf;
    struct problem why = { 0 };
    assert_int_equal(quotas_read(&conf, STR("sms=5/60s"), &why), ERR_NONE);
    assert_int_equal(quotas_new(&b->q, &b->w->control, &conf), ERR_NONE);
    assert_int_equal(quotas_load(b->q), ERR_NONE);
    numbers_set_quotas(b->w->numbers, b->q);
    assert_int_equal(events_new(&b->ev, &b->w->control, &courier_script_ops, &b->courier), ERR_NONE);
    assert_int_equal(messages_new(&b->m, &b->w->control, b->w->accounts, b->w->numbers, b->ev), ERR_NONE);
    assert_int_equal(messages_load(b->m, &why), ERR_NONE);
    messages_resume(b->m);
}

static void end(struct bench *b)
{
    messages_free(b->m);
    events_free(b->ev);
    numbers_set_quotas(b->w->numbers, NULL);
    quotas_free(b->q);
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    b->w = world_new();
    begin(b);
    e164_write(b->from, lease_one(b->w, b->w->us, toll_free_in("833", 1)));
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    end(b);
    world_free(b->w);
    free(b);
    return 0;
}

static void on_sent(void *arg, enum err err, const struct sms_result *results, size_t n)
{
    struct bench *b = arg;
    (void)results, (void)n;
    b->err = err;
    b->w->waiting--;
}

/* To so many handsets; the id of the first makes it repeatable. */
static enum err text(struct bench *b, size_t n, const char *repeat_id)
{
    static char to[8][40];
    struct sms_recipient r[8] = { 0 };
    for (size_t i = 0; i < n; i++) {
        snprintf(to[i], sizeof to[i], "+1206555010%zu", i);
        r[i].to = str_of(to[i]);
    }
    r[0].repeat_id = str_of(repeat_id);
    struct sms_send s = { .resource = b->w->us, .from = str_of(b->from), .recipients = r, .n = n, .text = STR("hello") };
    b->why = (struct problem){ 0 };
    b->w->waiting++;
    enum err err = messages_send(b->m, &s, on_sent, b, &b->why);
    if (err) {
        b->w->waiting--;
        return err;
    }
    world_pump(b->w);
    return b->err;
}

static void a_request_fits_whole_or_nothing_of_it_is_sent(void **state)
{
    struct bench *b = *state;
    assert_int_equal(text(b, 3, ""), ERR_NONE);
    assert_int_equal(text(b, 3, ""), ERR_BUSY);
    assert_string_equal(b->why.rule, "QuotaExceeded");
    assert_int_equal(b->why.retry_after_s, 60);
    assert_int_equal(text(b, 2, ""), ERR_NONE);
    assert_int_equal(text(b, 1, ""), ERR_BUSY);
    world_sleep(b->w, MINUTE);
    assert_int_equal(text(b, 5, ""), ERR_NONE);
}

static void a_repetition_takes_no_place(void **state)
{
    struct bench *b = *state;
    for (int i = 0; i < 9; i++)
        assert_int_equal(text(b, 1, "6e0b0e4b-6a35-4d0a-9f5c-0d2a6a1f2c11"), ERR_NONE);
    assert_int_equal(text(b, 4, ""), ERR_NONE);
    assert_int_equal(text(b, 1, ""), ERR_BUSY);
    assert_int_equal(text(b, 1, "6e0b0e4b-6a35-4d0a-9f5c-0d2a6a1f2c11"), ERR_NONE);
}

static void what_was_sent_before_a_restart_counts(void **state)
{
    struct bench *b = *state;
    assert_int_equal(text(b, 2, ""), ERR_NONE);
    world_sleep(b->w, MINUTE / 2);
    assert_int_equal(text(b, 2, ""), ERR_NONE);
    end(b);
    begin(b);
    assert_int_equal(text(b, 2, ""), ERR_BUSY);
    assert_int_equal(b->why.retry_after_s, 30);
    assert_int_equal(text(b, 1, ""), ERR_NONE);
    world_sleep(b->w, MINUTE / 2);
    assert_int_equal(text(b, 2, ""), ERR_NONE);
    assert_int_equal(text(b, 1, ""), ERR_BUSY);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_request_fits_whole_or_nothing_of_it_is_sent),
        TEST(a_repetition_takes_no_place),
        TEST(what_was_sent_before_a_restart_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
