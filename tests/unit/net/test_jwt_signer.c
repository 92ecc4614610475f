/* Tokens: their form, and the key behind them. Whether strangers accept the signature is tests/api/signed.test.mjs. */
#include "net/jwt_signer.h"
#include "base/file.h"
#include "base/str.h"

#include "unit/tmp.h"

#include "unit/cm.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <sys/stat.h>

static struct str part(struct str token, int n)
{
    struct str head = token, rest = token;
    for (int i = 0; i <= n; i++)
        str_cut(rest, '.', &head, &rest);
    return head;
}

/* base64url without padding. */
static char *decoded(struct str s, char out[1024])
{
    char padded[1400];
    size_t n = 0;
    for (; n < s.n; n++)
        padded[n] = (char)(s.p[n] == '-' ? '+' : s.p[n] == '_' ? '/' : s.p[n]);
    while (n % 4)
        padded[n++] = '=';
    size_t got = 0;
    assert_int_equal(base64_read(out, 1023, (struct str){ padded, n }, &got), ERR_NONE);
    out[got] = '\0';
    return out;
}

static void keys_of(struct jwt_signer *s, struct buf *out)
{
    struct jw w = jw_of(out);
    jw_object(&w, NULL);
    assert_int_equal(jwt_write_keys(s, &w), ERR_NONE);
    jw_end(&w);
}

static void a_token_names_issuer_audience_and_five_minutes(void **state)
{
    (void)state;
    scoped(jwt_signer) struct jwt_signer *s = NULL;
    scoped_buf token = { 0 }, keys = { 0 };
    char text[1024], kid[128];
    assert_int_equal(jwt_signer_new(&s, NULL), ERR_NONE);
    jwt_signer_set_issuer(s, STR("https://localhost:1"));
    assert_int_equal(jwt_sign(s, STR("the \"resource\""), 1000000000 * (int64_t)1000000, &token), ERR_NONE);
    assert_string_equal(decoded(part(buf_str(&token), 1), text), "{\"iss\":\"https://localhost:1\",\"aud\":\"the \\\"resource\\\"\","
                                                                "\"iat\":1000000000,\"nbf\":999999970,\"exp\":1000000300}");
    decoded(part(buf_str(&token), 0), text);
    assert_int_equal(sscanf(text, "{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"%43[^\"]", kid), 1);
    keys_of(s, &keys);
    buf_putc(&keys, '\0');
    assert_non_null(strstr(keys.p, kid));
    assert_int_equal(part(buf_str(&token), 2).n, 342);      /* 256 octets */
}

static void the_key_is_made_once_and_kept_for_its_owner_alone(void **state)
{
    (void)state;
    struct tmp folder = tmp_new();
    struct stat st;
    const char *file = tmp_file(&folder, "callbacks.key");
    scoped_buf first = { 0 }, second = { 0 };
    for (int i = 0; i < 2; i++) {
        scoped(jwt_signer) struct jwt_signer *s = NULL;
        assert_int_equal(jwt_signer_new(&s, file), ERR_NONE);
        assert_int_equal(stat(file, &st) != 0, i == 0);     /* not before it is needed */
        keys_of(s, i ? &second : &first);
    }
    assert_true(str_eq(buf_str(&first), buf_str(&second)));
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    tmp_free(&folder);
}

static void a_file_that_holds_no_key_is_not_overwritten(void **state)
{
    (void)state;
    struct tmp folder = tmp_new();
    const char *file = tmp_file(&folder, "callbacks.key");
    scoped(jwt_signer) struct jwt_signer *s = NULL;
    scoped_buf token = { 0 };
    char *text = NULL;
    size_t n = 0;
    assert_int_equal(file_write_whole(file, STR("precious"), 0600, NULL), ERR_NONE);
    assert_int_equal(jwt_signer_new(&s, file), ERR_NONE);
    assert_int_equal(jwt_sign(s, STR("a"), 0, &token), ERR_SYNTAX);
    assert_int_equal(token.n, 0);
    assert_int_equal(file_read_whole(file, 100, &text, &n), ERR_NONE);
    assert_string_equal(text, "precious");
    free(text);
    tmp_free(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_names_issuer_audience_and_five_minutes),
        cmocka_unit_test(the_key_is_made_once_and_kept_for_its_owner_alone),
        cmocka_unit_test(a_file_that_holds_no_key_is_not_overwritten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
