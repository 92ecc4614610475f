/* Two ends of TLS with nothing between them, and certificates of an authority of our own. */
#include "net/tls.h"
#include "base/str.h"
#include "net/tls_ca.h"
#include "unit/cm.h"

struct ends { struct tls *client, *server; struct buf to_server, to_client, heard_by_server, heard_by_client; enum err client_err, server_err; };

static struct tls_pems pems;
static struct tls_context *server_context, *client_context;

static int set_up_all(void **state)
{
    (void)state;
    struct problem why = { 0 };
    assert_int_equal(tls_ca_ensure(NULL, NULL, 0, &pems, &why), ERR_NONE);
    assert_int_equal(tls_context_server(&server_context, pems.cert, pems.key, &why), ERR_NONE);
    assert_int_equal(tls_context_client(&client_context, pems.ca, &why), ERR_NONE);
    return 0;
}

static int tear_down_all(void **state)
{
    (void)state;
    tls_context_free(server_context);
    tls_context_free(client_context);
    tls_pems_done(&pems);
    return 0;
}

/* Carry octets until nobody has more to say. */
static void carry(struct ends *e)
{
    while (e->to_server.n || e->to_client.n) {
        struct buf there = e->to_server, back = e->to_client;
        e->to_server = e->to_client = (struct buf){ 0 };
        if (there.n && !e->server_err)
            e->server_err = tls_read(e->server, there.p, there.n, &e->heard_by_server, &e->to_client);
        if (back.n && !e->client_err)
            e->client_err = tls_read(e->client, back.p, back.n, &e->heard_by_client, &e->to_server);
        buf_done(&there);
        buf_done(&back);
    }
}

static void meet(struct ends *e, const struct tls_context *client, const char *name)
{
    *e = (struct ends){ 0 };
    assert_int_equal(tls_new(&e->client, client, name), ERR_NONE);
    assert_int_equal(tls_new(&e->server, server_context, NULL), ERR_NONE);
    assert_int_equal(tls_read(e->client, NULL, 0, &e->heard_by_client, &e->to_server), ERR_NONE);
    carry(e);
}

static void part(struct ends *e)
{
    tls_free(e->client);
    tls_free(e->server);
    buf_done(&e->to_server);
    buf_done(&e->to_client);
    buf_done(&e->heard_by_server);
    buf_done(&e->heard_by_client);
}

static void what_one_says_the_other_hears(void **state)
{
    (void)state;
    enum { MUCH = 100000 };
    static char much[MUCH];
    struct ends e;
    memset(much, 'x', sizeof much);
    meet(&e, client_context, "localhost");
    assert_true(tls_is_open(e.client) && tls_is_open(e.server));
    assert_non_null(strstr(tls_words(e.client), "TLSv1.3"));
    assert_int_equal(tls_write(e.client, "hello", 5, &e.to_server), ERR_NONE);
    assert_int_equal(tls_write(e.server, much, sizeof much, &e.to_client), ERR_NONE);
    assert_null(memmem(e.to_server.p, e.to_server.n, "hello", 5));
    carry(&e);
    assert_str(buf_str(&e.heard_by_server), "hello");
    assert_int_equal(e.heard_by_client.n, MUCH);
    part(&e);
}

static void an_address_is_a_name_too(void **state)
{
    (void)state;
    struct ends e;
    meet(&e, client_context, "127.0.0.1");
    assert_true(tls_is_open(e.client));
    part(&e);
}

static void another_name_or_an_unknown_authority_is_refused(void **state)
{
    (void)state;
    struct ends e;
    struct problem why;
    scoped(tls_context) struct tls_context *system = NULL;
    meet(&e, client_context, "smsc.example.net");
    assert_int_equal(e.client_err, ERR_UNPROVEN);
    assert_non_null(strstr(tls_words(e.client), "mismatch"));
    part(&e);
    assert_int_equal(tls_context_client(&system, NULL, &why), ERR_NONE);
    meet(&e, system, "localhost");
    assert_int_equal(e.client_err, ERR_UNPROVEN);
    assert_int_not_equal(e.server_err, ERR_NONE);           /* it was told so */
    part(&e);
}

static void a_renewed_context_shows_the_new_chain_and_keeps_what_it_had(void **state)
{
    (void)state;
    struct ends e, later;
    struct problem why;
    struct tls_pems next = { 0 };
    scoped(tls_context) struct tls_context *knows_next = NULL;
    assert_int_equal(tls_ca_ensure(NULL, NULL, 0, &next, &why), ERR_NONE);
    assert_int_equal(tls_context_client(&knows_next, next.ca, &why), ERR_NONE);
    meet(&e, client_context, "localhost");
    assert_int_equal(tls_context_renew(server_context, next.cert, pems.key, &why), ERR_SYNTAX);    /* not its key */
    assert_int_equal(tls_context_renew(server_context, next.cert, next.key, &why), ERR_NONE);
    meet(&later, client_context, "localhost");
    assert_int_equal(later.client_err, ERR_UNPROVEN);
    part(&later);
    meet(&later, knows_next, "localhost");
    assert_true(tls_is_open(later.client));
    part(&later);
    assert_int_equal(tls_write(e.client, "still", 5, &e.to_server), ERR_NONE);
    carry(&e);
    assert_str(buf_str(&e.heard_by_server), "still");
    part(&e);
    assert_int_equal(tls_context_renew(server_context, pems.cert, pems.key, &why), ERR_NONE);
    tls_pems_done(&next);
}

static void an_end_that_was_said_is_no_failure(void **state)
{
    (void)state;
    struct ends e;
    meet(&e, client_context, "localhost");
    assert_int_equal(tls_end(e.server, &e.to_client), ERR_NONE);
    carry(&e);
    assert_int_equal(e.client_err, ERR_CLOSED);
    part(&e);
}

static void octets_that_are_no_tls_end_it(void **state)
{
    (void)state;
    struct ends e = { 0 };
    static const uint8_t nack[16] = { 0, 0, 0, 16, 0x80 };
    assert_int_equal(tls_new(&e.client, client_context, "localhost"), ERR_NONE);
    assert_int_equal(tls_read(e.client, nack, sizeof nack, &e.heard_by_client, &e.to_server), ERR_SYNTAX);
    assert_int_equal(tls_write(e.client, "x", 1, &e.to_server), ERR_CLOSED);
    part(&e);
}

static void nonsense_is_no_certificate(void **state)
{
    (void)state;
    struct tls_context *c = NULL;
    struct problem why;
    assert_int_equal(tls_context_client(&c, "nonsense", &why), ERR_SYNTAX);
    assert_int_equal(tls_context_server(&c, pems.ca, pems.key, &why), ERR_SYNTAX);
    assert_null(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_one_says_the_other_hears),
        cmocka_unit_test(an_address_is_a_name_too),
        cmocka_unit_test(another_name_or_an_unknown_authority_is_refused),
        cmocka_unit_test(a_renewed_context_shows_the_new_chain_and_keeps_what_it_had),
        cmocka_unit_test(an_end_that_was_said_is_no_failure),
        cmocka_unit_test(octets_that_are_no_tls_end_it),
        cmocka_unit_test(nonsense_is_no_certificate),
    };
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
