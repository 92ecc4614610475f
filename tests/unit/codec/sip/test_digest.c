#include "unit/cm.h"

#include "base/str.h"
#include "codec/sip/digest.h"

static const char *written(struct buf *out, const struct digest_challenge *c, const struct digest_answer *w)
{
    assert_int_equal(digest_write(out, c, w), ERR_NONE);
    buf_putc(out, 0);
    return out->p;
}

/* RFC 2617, 3.5 */
static void the_example_of_rfc_2617_comes_out(void **state)
{
    (void)state;
    scoped_buf out = { 0 };
    struct digest_challenge c = { .realm = STR("testrealm@host.com"), .nonce = STR("dcd98b7102dd2f0e8b11d0f600bfb0c093"),
                                  .opaque = STR("5ccc069c403ebaf9f0171e9517f40e41"), .qop = STR("auth,auth-int") };
    struct digest_answer w = { .user = STR("Mufasa"), .password = STR("Circle Of Life"), .method = STR("GET"),
                               .uri = STR("/dir/index.html"), .cnonce = STR("0a4f113b"), .count = 1 };
    const char *text = written(&out, &c, &w);
    assert_non_null(strstr(text, "response=\"6629fae49393a05397450978507c4ef1\""));
    assert_non_null(strstr(text, "nc=00000001"));
    assert_non_null(strstr(text, "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""));
}

/* RFC 7616, 3.9.1 */
static void the_sha_256_example_of_rfc_7616_comes_out(void **state)
{
    (void)state;
    scoped_buf out = { 0 };
    struct digest_challenge c = { .realm = STR("http-auth@example.org"), .algorithm = STR("SHA-256"), .qop = STR("auth, auth-int"),
                                  .nonce = STR("7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"),
                                  .opaque = STR("FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS") };
    struct digest_answer w = { .user = STR("Mufasa"), .password = STR("Circle of Life"), .method = STR("GET"), .count = 1,
                               .uri = STR("/dir/index.html"), .cnonce = STR("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ") };
    assert_non_null(strstr(written(&out, &c, &w),
                           "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\""));
}

/* RFC 2069, 2.4, with the response of its erratum 749 */
static void an_old_challenge_without_qop_is_answered_the_old_way(void **state)
{
    (void)state;
    scoped_buf out = { 0 };
    struct digest_challenge c = { .realm = STR("testrealm@host.com"), .nonce = STR("dcd98b7102dd2f0e8b11d0f600bfb0c093") };
    struct digest_answer w = { .user = STR("Mufasa"), .password = STR("CircleOfLife"), .method = STR("GET"),
                               .uri = STR("/dir/index.html") };
    const char *text = written(&out, &c, &w);
    assert_non_null(strstr(text, "response=\"1949323746fe6a43ef61f9606e7febea\""));
    assert_null(strstr(text, "qop="));
    assert_null(strstr(text, "cnonce="));
}

static void what_we_cannot_answer_is_said(void **state)
{
    (void)state;
    scoped_buf out = { 0 };
    struct digest_answer w = { .user = STR("u"), .password = STR("p"), .method = STR("BYE"), .uri = STR("sip:x"), .count = 1 };
    struct digest_challenge c = { .realm = STR("r"), .nonce = STR("n"), .algorithm = STR("MD5-sess") };
    assert_int_equal(digest_write(&out, &c, &w), ERR_UNBUILT);
    c = (struct digest_challenge){ .realm = STR("r"), .nonce = STR("n"), .qop = STR("auth-int") };
    assert_int_equal(digest_write(&out, &c, &w), ERR_UNBUILT);
    c = (struct digest_challenge){ .realm = STR("r") };
    assert_int_equal(digest_write(&out, &c, &w), ERR_SYNTAX);
    assert_int_equal(out.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_of_rfc_2617_comes_out),
        cmocka_unit_test(the_sha_256_example_of_rfc_7616_comes_out),
        cmocka_unit_test(an_old_challenge_without_qop_is_answered_the_old_way),
        cmocka_unit_test(what_we_cannot_answer_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
