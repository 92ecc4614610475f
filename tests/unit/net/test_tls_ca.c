#include "net/tls_ca.h"
#include "base/str.h"
#include "unit/tmp.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <cmocka.h>

static X509 *cert_of(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    assert_non_null(cert);
    return cert;
}

static void a_first_start_makes_an_authority_and_a_certificate_for_this_machine(void **state)
{
    (void)state;
    struct tmp t = tmp_new();
    struct tls_pems p = { 0 };
    const char *names[] = { "box.example.com", "192.0.2.7" };
    struct stat st;
    assert_int_equal(tls_ca_ensure(tmp_file(&t, "tls"), names, 2, &p, NULL), ERR_NONE);
    X509 *leaf = cert_of(p.cert), *ca = cert_of(p.ca);
    EVP_PKEY *ca_key = X509_get_pubkey(ca);
    assert_int_equal(X509_verify(leaf, ca_key), 1);
    assert_int_equal(X509_check_host(leaf, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(leaf, "default.localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(leaf, "box.example.com", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(leaf, "other.example.com", 0, 0, NULL), 0);
    assert_int_equal(X509_check_ip_asc(leaf, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(leaf, "::1", 0), 1);
    assert_int_equal(X509_check_ip_asc(leaf, "192.0.2.7", 0), 1);
    assert_int_equal(X509_check_ca(leaf), 0);
    assert_int_equal(X509_check_ca(ca), 1);
    static const char *const files[] = { "tls/ca.pem", "tls/ca.key", "tls/server.pem", "tls/server.key" };
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        assert_int_equal(stat(tmp_file(&t, files[i]), &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
    EVP_PKEY_free(ca_key);
    X509_free(leaf);
    X509_free(ca);
    tls_pems_done(&p);
    tmp_free(&t);
}

static void a_second_start_keeps_them_and_a_new_name_renews_only_the_certificate(void **state)
{
    (void)state;
    struct tmp t = tmp_new();
    struct tls_pems a = { 0 }, b = { 0 }, c = { 0 }, d = { 0 };
    const char *names[] = { "box.example.com", "*.wild.example" };
    assert_int_equal(tls_ca_ensure(tmp_file(&t, "tls"), NULL, 0, &a, NULL), ERR_NONE);
    assert_int_equal(tls_ca_ensure(tmp_file(&t, "tls"), NULL, 0, &b, NULL), ERR_NONE);
    assert_string_equal(a.cert, b.cert);
    assert_string_equal(a.ca, b.ca);
    assert_int_equal(tls_ca_ensure(tmp_file(&t, "tls"), names, 2, &c, NULL), ERR_NONE);
    assert_string_not_equal(a.cert, c.cert);
    assert_string_equal(a.ca, c.ca);
    assert_int_equal(tls_ca_ensure(tmp_file(&t, "tls"), names, 2, &d, NULL), ERR_NONE);
    assert_string_equal(c.cert, d.cert);
    tls_pems_done(&d);
    FILE *f = fopen(tmp_file(&t, "tls/server.key"), "w");       /* a damaged file is made again */
    fputs("nonsense", f);
    fclose(f);
    assert_int_equal(tls_ca_ensure(tmp_file(&t, "tls"), NULL, 0, &d, NULL), ERR_NONE);
    assert_string_equal(a.ca, d.ca);
    tls_pems_done(&a);
    tls_pems_done(&b);
    tls_pems_done(&c);
    tls_pems_done(&d);
    tmp_free(&t);
}

static void a_name_that_would_add_fields_is_refused(void **state)
{
    (void)state;
    struct tls_pems p = { 0 };
    struct problem why = { 0 };
    static const char *const bad[] = { "a,DNS:b", "", "a b", "a\n" };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(tls_ca_ensure(NULL, &bad[i], 1, &p, &why), ERR_RANGE);
}

static void a_given_pair_must_fit(void **state)
{
    (void)state;
    struct tmp t = tmp_new();
    struct tls_pems a = { 0 }, b = { 0 };
    char cert[128], key[128], other[128];
    assert_int_equal(tls_ca_ensure(tmp_file(&t, "one"), NULL, 0, &a, NULL), ERR_NONE);
    tls_pems_done(&a);
    assert_int_equal(tls_ca_ensure(tmp_file(&t, "two"), NULL, 0, &a, NULL), ERR_NONE);
    snprintf(cert, sizeof cert, "%s/one/server.pem", t.path);
    snprintf(key, sizeof key, "%s/one/server.key", t.path);
    snprintf(other, sizeof other, "%s/two/server.key", t.path);
    assert_int_equal(tls_pems_load(cert, key, &b, NULL), ERR_NONE);
    assert_null(b.ca);
    tls_pems_done(&b);
    assert_int_equal(tls_pems_load(cert, other, &b, NULL), ERR_SYNTAX);
    assert_int_equal(tls_pems_load(key, cert, &b, NULL), ERR_SYNTAX);
    assert_int_equal(tls_pems_load("/nonexistent", key, &b, NULL), ERR_IO);
    tls_pems_done(&a);
    tmp_free(&t);
}

static void one_more_name_gets_a_certificate_of_its_own_from_the_same_authority(void **state)
{
    (void)state;
    struct tls_pems p = { 0 }, leaf = { 0 };
    assert_int_equal(tls_ca_ensure(NULL, NULL, 0, &p, NULL), ERR_NONE);
    assert_int_equal(tls_leaf_make(p.ca, p.ca_key, "shop.localhost", &leaf), ERR_NONE);
    X509 *cert = cert_of(leaf.cert), *ca = cert_of(p.ca);
    EVP_PKEY *ca_key = X509_get_pubkey(ca);
    assert_int_equal(X509_verify(cert, ca_key), 1);
    assert_int_equal(X509_check_host(cert, "shop.localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(cert, "localhost", 0, 0, NULL), 0);
    assert_null(leaf.ca);
    assert_null(leaf.ca_key);
    EVP_PKEY_free(ca_key);
    X509_free(cert);
    X509_free(ca);
    tls_pems_done(&leaf);
    assert_int_equal(tls_leaf_make(p.ca, p.ca_key, "a,DNS:b", &leaf), ERR_RANGE);
    assert_int_equal(tls_leaf_make(p.ca, "no key", "shop.localhost", &leaf), ERR_SYNTAX);
    tls_pems_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_first_start_makes_an_authority_and_a_certificate_for_this_machine),
        cmocka_unit_test(a_second_start_keeps_them_and_a_new_name_renews_only_the_certificate),
        cmocka_unit_test(a_name_that_would_add_fields_is_refused), cmocka_unit_test(a_given_pair_must_fit),
        cmocka_unit_test(one_more_name_gets_a_certificate_of_its_own_from_the_same_authority),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
