#include "unit/cm.h"

#include "base/buf.h"
#include "base/json.h"
#include "base/str.h"
#include "net/audio.h"
#include "sim/manner.h"

#include <stdio.h>
#include <unistd.h>

static struct manner *told(const char *text)
{
    struct manner *m = NULL;
    struct problem why = { 0 };
    if (manner_of_text(&m, str_of(text), &why))
        fail_msg("%s: %s", text, why.text);
    return m;
}

static void untold_a_telephone_is_kind(void **state)
{
    (void)state;
    struct manner *m = told("");
    assert_true(manner_is_kind(m));
    assert_int_equal(m->answer_ms, 1000);
    assert_int_equal(m->refuse_status, 0);
    assert_int_equal(m->drop_ms, MANNER_NEVER);
    assert_null(m->early);
    assert_null(m->record);
    assert_int_equal(m->way, MANNER_BOTH_WAYS);
    manner_unref(m);
}

static void words_say_how_calls_are_taken(void **state)
{
    (void)state;
    struct manner *m = told("answer-after=2500ms  refuse=486 press=12# press-after=heard drop-after=1m one-way=receive echo=audio "
                            "loss=2.5% delay=200ms jitter=60ms transport=tcp record=on");
    assert_int_equal(m->answer_ms, 2500);
    assert_int_equal(m->refuse_status, 486);
    assert_int_equal(m->refuse_q850, 17);
    assert_int_equal(m->refuse_ms, 0);
    assert_string_equal(m->press, "12#");
    assert_true(m->press_heard);
    assert_int_equal(m->press_ms, MANNER_DEAF_MS);
    assert_int_equal(m->drop_ms, 60000);
    assert_int_equal(m->way, MANNER_RECEIVES);
    assert_int_equal(m->echo, MANNER_ECHO_AUDIO);
    assert_int_equal(m->loss_permille, 25);
    assert_int_equal(m->delay_ms, 200);
    assert_int_equal(m->jitter_ms, 60);
    assert_true(m->tcp);
    assert_string_equal(m->record, "");
    manner_unref(m);
    m = told("refuse=503/34 answer-after=never press=caller");
    assert_int_equal(m->refuse_q850, 34);
    assert_int_equal(m->answer_ms, MANNER_NEVER);
    assert_true(m->press_caller);
    manner_unref(m);
}

static void early_media_is_heard_before_a_refusal(void **state)
{
    (void)state;
    struct manner *m = told("early-media=busy refuse=486"), *quick = told("early-media=ringback refuse=486 refuse-after=1s");
    assert_int_equal(m->refuse_ms, 3000);
    assert_int_equal(quick->refuse_ms, 1000);
    assert_int_equal(audio_octets(m->early).n, 8000);           /* half a second on, half off */
    assert_int_equal(audio_octets(quick->early).n, 48000);
    manner_unref(m);
    manner_unref(quick);
}

static void a_change_leaves_the_rest_and_can_be_taken_back(void **state)
{
    (void)state;
    struct manner *old = told("answer-after=2s echo=dtmf say=tone"), *changed = NULL, *kind = NULL;
    struct str words[] = { STR("answer-after=3s"), STR("echo=") };
    assert_int_equal(manner_with(&changed, old, words, 2, NULL), ERR_NONE);
    assert_int_equal(old->answer_ms, 2000);
    assert_int_equal(changed->answer_ms, 3000);
    assert_int_equal(changed->echo, MANNER_NO_ECHO);
    assert_ptr_equal(changed->say, old->say);
    scoped_buf out = { 0 };
    struct jw w = jw_of(&out);
    jw_object(&w, NULL);
    manner_write(changed, &w);
    jw_end(&w);
    buf_putc(&out, '\0');
    assert_string_equal(out.p, "{\"behaviour\":[\"answer-after=3s\",\"say=tone\"]}");
    struct str back[] = { STR("answer-after="), STR("say=") };
    assert_int_equal(manner_with(&kind, changed, back, 2, NULL), ERR_NONE);
    assert_true(manner_is_kind(kind));
    assert_int_equal(kind->answer_ms, 1000);
    manner_unref(old);
    manner_unref(changed);
    manner_unref(kind);
}

static void a_file_is_read_when_it_is_named(void **state)
{
    (void)state;
    char path[] = "/tmp/carterfone-manner-XXXXXX", text[64];
    int16_t samples[800] = { 0 };
    struct manner *m = NULL;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(audio_write_wav(path, samples, ARRAY_LEN(samples), NULL), ERR_NONE);
    snprintf(text, sizeof text, "say=%s", path);
    m = told(text);
    unlink(path);
    assert_int_equal(audio_octets(m->say).n, 800);
    manner_unref(m);
}

static void what_cannot_be_is_refused_with_a_word(void **state)
{
    (void)state;
    static const struct { const char *text, *word; } bad[] = {
        { "answer-after", "KEY=VALUE" }, { "answer-after=soon", "answer-after: 'soon' is not a time" }, { "answer-after=1h", "3m at most" },
        { "anser-after=2s", "did you mean 'answer-after'" }, { "colour=red", "handset behaviours" }, { "refuse=200", "400 to 699" },
        { "refuse=486/200", "0 to 127" }, { "refuse=x", "486/17" }, { "echo=loud", "dtmf, audio or no" }, { "one-way=up", "send, receive" },
        { "press=12x", "keys" }, { "loss=101%", "percentage" }, { "loss=5", "percentage" }, { "loss=1.25%", "percentage" },
        { "jitter=2s", "1s at most" }, { "say=hum", "no sound" }, { "say=/no/such.wav", "cannot be read" },
        { "record=here.wav", "absolute path" }, { "transport=tls", "udp or tcp" }, { "press=123456789012345678901234567890123", "32" },
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct manner *m = NULL;
        struct problem why = { 0 };
        assert_int_equal(manner_of_text(&m, str_of(bad[i].text), &why), ERR_RANGE);
        assert_null(m);
        if (!strstr(why.text, bad[i].word))
            fail_msg("%s: '%s' does not say '%s'", bad[i].text, why.text, bad[i].word);
    }
}

static void every_key_is_in_the_page_for_people(void **state)
{
    (void)state;
    struct manner_help help;
    char page[1 << 16], row[512];
    FILE *f = fopen("docs/simulator.md", "r");
    assert_non_null(f);
    page[fread(page, 1, sizeof page - 1, f)] = '\0';
    fclose(f);
    for (size_t i = 0; manner_help(i, &help); i++) {
        snprintf(row, sizeof row, "| `%s` | `%s` | `%s` | %s |", help.key, help.takes, help.untold, help.words);
        for (char *p = row + 2; *p; p++)                        /* a bar inside a cell is escaped */
            if (p[0] == '|' && p[-1] != ' ' && strlen(row) + 1 < sizeof row) {
                memmove(p + 1, p, strlen(p) + 1);
                *p++ = '\\';
            }
        if (!strstr(page, row))
            fail_msg("docs/simulator.md lacks: %s", row);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(untold_a_telephone_is_kind),
        cmocka_unit_test(words_say_how_calls_are_taken),
        cmocka_unit_test(early_media_is_heard_before_a_refusal),
        cmocka_unit_test(a_change_leaves_the_rest_and_can_be_taken_back),
        cmocka_unit_test(a_file_is_read_when_it_is_named),
        cmocka_unit_test(what_cannot_be_is_refused_with_a_word),
        cmocka_unit_test(every_key_is_in_the_page_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
