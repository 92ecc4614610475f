/* The resource manager's routes over loopback HTTP: what its SDK cannot be made to show, a deletion under way above all. */
#include "edge/api/api.h"
#include "edge/api/http.h"
#include "edge/api/http_server.h"
#include "edge/api/http_token.h"
#include "edge/api/keyring.h"
#include "unit/domain/numbers/world.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define OPERATOR "the operator's key"
#define V        "?api-version=2025-09-01"

static const struct http_route *const tables[] = { management_routes, NULL };

struct bench {
    struct world       *w;
    struct app_api      api;
    struct http_server *srv;
    char                one[256];       /* path of the resource that most tests are about */
    struct answer {
        int              status;
        char             text[60000], *body;
        struct json_doc *doc;
    } a;
    /* something that hangs on resources, and ends when it is told */
    accounts_done_fn   *ended;
    void               *ended_arg;
};

static enum err hang(void *self, uint64_t resource, accounts_done_fn *done, void *arg)
{
    (void)resource;
    struct bench *b = self;
    b->ended = done;
    b->ended_arg = arg;
    return ERR_NONE;
}

struct let_go {
    struct inbox_item item;
    struct bench     *b;
};

static void on_let_go(void *owner, struct inbox_item *item)
{
    (void)owner;
    struct let_go *l = container_of(item, struct let_go, item);
    l->b->ended(l->b->ended_arg, ERR_NONE);
    free(l);
}

static const struct inbox_kind let_go_kind = { "let go", on_let_go, NULL };

static int set_up(void **state)
{
    static const struct http_listen listen_at = { "127.0.0.1", 0, NULL };
    struct bench *b = calloc(1, sizeof *b);
    struct problem why = { 0 };
    b->w = world_new();
    assert_int_equal(keyring_new(&b->api.keyring), ERR_NONE);
    assert_int_equal(keyring_set_operator(b->api.keyring, STR(OPERATOR)), ERR_NONE);
    b->api.control = &b->w->control;
    b->api.accounts = b->w->accounts;
    b->api.numbers = b->w->numbers;
    accounts_add_ender(b->w->accounts, (struct accounts_ender){ "what hangs", hang, b });
    const struct subscription *s = accounts_subscription_named(b->w->accounts, STR("us"));
    snprintf(b->one, sizeof b->one, "/subscriptions/%s/resourceGroups/g/providers/Microsoft.Communication/communicationServices/shop",
             s->guid);
    struct http_server_conf conf = { .listens = &listen_at, .n_listens = 1, .api = &b->api, .tables = tables };
    if (http_server_new(&b->srv, &conf, &why) || http_server_start(b->srv, &why))
        fail_msg("%s", why.text);
    *state = b;
    return loop_start(b->w->control.loop);
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    json_doc_free(b->a.doc);
    http_server_stop(b->srv);
    loop_stop(b->w->control.loop);
    world_free(b->w);
    http_server_free(b->srv);
    keyring_free(b->api.keyring);
    free(b);
    return 0;
}

/* -- a client ------------------------------------------------------------------------------------------------------- */

static void hear(int fd, struct answer *a)
{
    size_t n = 0;
    ssize_t got;
    while (n < sizeof a->text - 1 && (got = recv(fd, a->text + n, sizeof a->text - 1 - n, 0)) > 0)
        n += (size_t)got;
    a->text[n] = '\0';
    a->status = n > 9 ? atoi(a->text + 9) : 0;
    char *end = strstr(a->text, "\r\n\r\n");
    a->body = end ? end + 4 : a->text + n;
}

/* @return the answer's JSON, or NULL when it has none */
static const struct json *ask(struct bench *b, const char *method, const char *target, const char *body)
{
    scoped_buf request = { 0 };
    char token[HTTP_TOKEN_SIZE];
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(http_server_port(b->srv, 0)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval limit = { .tv_sec = 5 };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
    http_token_write(token, STR(OPERATOR), clock_wall_us() / US_PER_S + 60);
    buf_printf(&request, "%s %s HTTP/1.1\r\nHost: localhost:4500\r\nConnection: close\r\nAuthorization: Bearer %s\r\n"
                         "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
               method, target, token, body ? strlen(body) : 0, body ? body : "");
    assert_int_equal(send(fd, request.p, request.n, MSG_NOSIGNAL), (ssize_t)request.n);
    hear(fd, &b->a);
    close(fd);
    json_doc_free(b->a.doc);
    b->a.doc = NULL;
    if (!*b->a.body)
        return NULL;
    if (json_read(&b->a.doc, str_of(b->a.body), NULL))
        fail_msg("not JSON: %s", b->a.body);
    return json_root(b->a.doc);
}

static const struct json *ask_one(struct bench *b, const char *method, const char *behind, const char *body)
{
    char target[400];
    snprintf(target, sizeof target, "%s%s" V, b->one, behind);
    return ask(b, method, target, body);
}

/* The path of the address in a header; fails when there is none. */
static void follow(struct bench *b, const char *name, char *dst, size_t size)
{
    char line[80];
    snprintf(line, sizeof line, "\r\n%s: http://localhost:4500", name);
    char *at = strcasestr(b->a.text, line);
    if (!at || at > b->a.body)
        fail_msg("no %s in %s", name, b->a.text);
    snprintf(dst, size, "%.*s", (int)strcspn(at + strlen(line), "\r"), at + strlen(line));
}

static const char *rule(const struct bench *b)
{
    const struct json *error = b->a.doc ? json_member(json_root(b->a.doc), "error") : NULL;
    struct str s = json_text_of(error ? json_member(error, "innererror") : NULL, "code");
    return s.p ? s.p : "";
}

#define EUROPE "{\"location\":\"global\",\"properties\":{\"dataLocation\":\"Europe\"}}"

/* -- tests ---------------------------------------------------------------------------------------------------------- */

static void a_creation_names_its_operation_which_has_succeeded(void **state)
{
    struct bench *b = *state;
    char poll[400];
    const struct json *made = ask_one(b, "PUT", "", EUROPE);
    assert_int_equal(b->a.status, 201);
    assert_true(str_eqz(json_text_of(json_member(made, "properties"), "provisioningState"), "Succeeded"));
    follow(b, "Azure-AsyncOperation", poll, sizeof poll);
    const struct json *operation = ask(b, "GET", poll, NULL);
    assert_int_equal(b->a.status, 200);
    assert_true(str_eqz(json_text_of(operation, "status"), "Succeeded"));
    ask_one(b, "PUT", "", EUROPE);
    assert_int_equal(b->a.status, 200);
}

static void a_deletion_is_followed_until_all_that_hangs_on_it_has_ended(void **state)
{
    struct bench *b = *state;
    char poll[400], status[400];
    ask_one(b, "PUT", "", EUROPE);
    follow(b, "Azure-AsyncOperation", status, sizeof status);
    ask_one(b, "DELETE", "", NULL);
    assert_int_equal(b->a.status, 202);
    follow(b, "Location", poll, sizeof poll);
    for (int i = 0; i < 2; i++) {
        ask(b, "GET", poll, NULL);
        assert_int_equal(b->a.status, 202);
        assert_non_null(strcasestr(b->a.text, "\r\nRetry-After: 1\r\n"));
    }
    assert_true(str_eqz(json_text_of(ask(b, "GET", status, NULL), "status"), "Running"));
    ask_one(b, "GET", "", NULL);
    assert_int_equal(b->a.status, 404);
    ask_one(b, "PUT", "", EUROPE);
    assert_int_equal(b->a.status, 409);
    assert_string_equal(rule(b), "ResourceBeingDeleted");
    struct let_go *l = calloc(1, sizeof *l);
    *l = (struct let_go){ .item.kind = &let_go_kind, .b = b };
    assert_int_equal(inbox_post(control_inbox(&b->w->control), &l->item), ERR_NONE);
    for (int i = 0; i < 200 && b->a.status != 204; i++) {
        usleep(5000);
        ask(b, "GET", poll, NULL);
    }
    assert_int_equal(b->a.status, 204);
    ask_one(b, "DELETE", "", NULL);
    assert_int_equal(b->a.status, 204);
    ask_one(b, "PUT", "", EUROPE);
    assert_int_equal(b->a.status, 201);
}

static void an_operation_of_another_subscription_or_of_nobody_is_not_found(void **state)
{
    struct bench *b = *state;
    char poll[400], other[400];
    ask_one(b, "PUT", "", EUROPE);
    follow(b, "Azure-AsyncOperation", poll, sizeof poll);
    const struct subscription *s = accounts_subscription_named(b->w->accounts, STR("other"));
    snprintf(other, sizeof other, "/subscriptions/%s%s", s->guid, strstr(poll, "/providers/"));
    ask(b, "GET", other, NULL);
    assert_int_equal(b->a.status, 404);
    ask(b, "GET", "/subscriptions/us/providers/Microsoft.Communication/locations/global/operationStatuses/x" V, NULL);
    assert_int_equal(b->a.status, 404);
    assert_string_equal(rule(b), "OperationNotFound");
}

static void a_body_of_the_wrong_shape_is_refused_and_changes_nothing(void **state)
{
    struct bench *b = *state;
    static const char *const bad[] = {
        "{\"location\":1}", "{\"tags\":[]}", "{\"tags\":{\"a\":1}}", "{\"tags\":{\"\":\"x\"}}", "{\"identity\":\"none\"}",
        "{\"properties\":{\"disableLocalAuth\":\"yes\"}}", "{\"properties\":{\"dataLocation\":7}}", "{\"properties\":[]}", "[]", "{",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        ask_one(b, "PUT", "", bad[i]);
        if (b->a.status != 400)
            fail_msg("%s: %d", bad[i], b->a.status);
    }
    ask_one(b, "GET", "", NULL);
    assert_int_equal(b->a.status, 404);
    ask_one(b, "PUT", "", EUROPE);
    ask_one(b, "POST", "/regenerateKey", "{}");
    assert_int_equal(b->a.status, 400);
    assert_string_equal(rule(b), "KeyTypeUnknown");
    ask_one(b, "POST", "/regenerateKey", NULL);
    assert_int_equal(b->a.status, 400);
}

static void a_page_begins_where_the_link_says_and_nowhere_else(void **state)
{
    struct bench *b = *state;
    ask(b, "GET", "/subscriptions/us/providers/Microsoft.Communication/communicationServices" V "&%24skipToken=nonsense", NULL);
    assert_int_equal(b->a.status, 400);
    const struct json *list = ask(b, "GET", "/subscriptions/us/providers/microsoft.communication/CommunicationServices" V, NULL);
    assert_int_equal(b->a.status, 200);
    assert_int_equal(json_count(json_member(list, "value")), 1);
    assert_int_equal(json_kind(json_member(list, "nextLink")), JSON_IS_ABSENT);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_creation_names_its_operation_which_has_succeeded), T(a_deletion_is_followed_until_all_that_hangs_on_it_has_ended),
        T(an_operation_of_another_subscription_or_of_nobody_is_not_found),
        T(a_body_of_the_wrong_shape_is_refused_and_changes_nothing), T(a_page_begins_where_the_link_says_and_nowhere_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
