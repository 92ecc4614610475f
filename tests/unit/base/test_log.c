/* log, problem and metric: what people and machines are told. */
#include "base/json.h"
#include "base/log.h"
#include "base/metric.h"
#include "base/problem.h"
#include "base/str.h"
#include "unit/cm.h"

#include <unistd.h>

/* What fn wrote to standard error. */
static const char *said(void (*fn)(void))
{
    static char text[4096];
    int ends[2], old = dup(STDERR_FILENO);
    assert_int_equal(pipe(ends), 0);
    dup2(ends[1], STDERR_FILENO);
    fn();
    dup2(old, STDERR_FILENO);
    close(old);
    close(ends[1]);
    ssize_t n = read(ends[0], text, sizeof text - 1);
    close(ends[0]);
    text[n > 0 ? n : 0] = '\0';
    return text;
}

static void numbers_are_logged_without_their_middle(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        { "+12065550123", "+1206***0123" }, { "+442071234567", "+44207***4567" }, { "+12065551", "+1***5551" },
        { "12345678", "1234***" }, { "12345", "12***" }, { "1", "***" }, { "", "***" },
        { "+123456789012345678901234567890", "+12345678901***7890" },
    };
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        char dst[24];
        assert_string_equal(log_number(dst, str_of(pairs[i][0])), pairs[i][1]);
    }
    char dst[24];
    assert_string_equal(log_number(dst, (struct str){ NULL, 0 }), "***");
}

static void say_forged(void)
{
    log_write(LOG_WARN, "sip", "call=7", "peer said %s", "x\n2026 error fake: y");
}

static void a_peers_line_break_forges_no_line(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_TEXT);
    const char *text = said(say_forged);
    assert_non_null(strstr(text, " warn  sip: peer said x 2026 error fake: y call=7\n"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void a_line_can_be_json(void **state)
{
    (void)state;
    log_setup(LOG_INFO, LOG_JSON);
    scoped(json_doc) struct json_doc *doc = NULL;
    assert_int_equal(json_read(&doc, str_of(said(say_forged)), NULL), ERR_NONE);
    assert_str(json_text_of(json_root(doc), "level"), "warn");
    assert_str(json_text_of(json_root(doc), "area"), "sip");
    assert_str(json_text_of(json_root(doc), "ids"), "call=7");
    assert_str(json_text_of(json_root(doc), "text"), "peer said x 2026 error fake: y");
    log_setup(LOG_INFO, LOG_TEXT);
}

static void say_debug(void)
{
    log_debug("sip", "not wanted");
    log_info("sip", "not wanted either");
    log_error("sip", "wanted");
}

static void what_is_below_the_level_is_not_said(void **state)
{
    (void)state;
    log_setup(LOG_WARN, LOG_TEXT);
    assert_true(log_wants(LOG_WARN));
    assert_false(log_wants(LOG_INFO));
    const char *text = said(say_debug);
    assert_null(strstr(text, "not wanted"));
    assert_non_null(strstr(text, "error sip: wanted\n"));
    log_setup(LOG_INFO, LOG_TEXT);
}

static void a_problem_holds_its_words_cut_to_fit(void **state)
{
    (void)state;
    static char endless[1000];
    struct problem why = { .rule = "old", .retry_after_s = 5 };
    memset(endless, 'x', sizeof endless - 1);
    assert_int_equal(problem_set(&why, ERR_RANGE, "BadRequest", "The field '%s' is wrong.", "to"), ERR_RANGE);
    assert_string_equal(why.code, "BadRequest");
    assert_string_equal(why.text, "The field 'to' is wrong.");
    assert_string_equal(why.rule, "");
    assert_int_equal(why.retry_after_s, 0);
    problem_target(&why, "smsRecipients[%d].to", 3);
    assert_string_equal(why.target, "smsRecipients[3].to");
    problem_rule(&why, "sender.unowned", "Buy %s first.", "+1206");
    assert_string_equal(why.rule, "sender.unowned");
    assert_string_equal(why.suggestion, "Buy +1206 first.");
    (void)problem_set(&why, ERR_RANGE, endless, "%s", endless);
    assert_int_equal(strlen(why.text), sizeof why.text - 1);
    assert_int_equal(strlen(why.code), sizeof why.code - 1);
    assert_int_equal(problem_set(NULL, ERR_BUSY, "x", "y"), ERR_BUSY);
    problem_target(NULL, "x");
    problem_rule(NULL, "x", "y");
}

METRIC_COUNTER(test_total, "carterfone_test_total", "Things of a test.")
METRIC_GAUGE(test_level, "carterfone_test_level", "How high.")

static void metrics_are_written_for_prometheus(void **state)
{
    (void)state;
    scoped_buf b = { 0 };
    metric_add(&test_total, 2);
    metric_add(&test_total, 1);
    metric_set(&test_level, -5);
    metric_write_all(&b);
    buf_putc(&b, '\0');
    assert_non_null(strstr(b.p, "# HELP carterfone_test_total Things of a test.\n# TYPE carterfone_test_total counter\n"
                                "carterfone_test_total 3\n"));
    assert_non_null(strstr(b.p, "# TYPE carterfone_test_level gauge\ncarterfone_test_level -5\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_logged_without_their_middle),
        cmocka_unit_test(a_peers_line_break_forges_no_line),
        cmocka_unit_test(a_line_can_be_json),
        cmocka_unit_test(what_is_below_the_level_is_not_said),
        cmocka_unit_test(a_problem_holds_its_words_cut_to_fit),
        cmocka_unit_test(metrics_are_written_for_prometheus),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
