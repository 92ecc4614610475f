/* What a customer's ESME proves itself with. */
#include "domain/accounts/smpp_credentials.h"
#include "unit/cm.h"
#include "unit/domain/scripted.h"

static void on_done(void *arg, enum err err)
{
    *(enum err *)arg = err;
}

static const struct resource *add(struct world *w, const char *name)
{
    return accounts_resource(w->accounts, world_resource(w, name, "payg", "US"));
}

static void expect(struct world *w, const char *id, const char *password, enum err err, const struct resource *whose)
{
    const struct resource *r = NULL;
    assert_int_equal(accounts_prove_esme(w->accounts, str_of(id), str_of(password), &r), err);
    assert_ptr_equal(r, whose);
}

static void both_passwords_prove_the_resource_and_nothing_else_does(void **state)
{
    (void)state;
    struct world *w = world_new();
    const struct resource *a = add(w, "salon"), *b = add(w, "shop");
    char of_a[2][SMPP_PASSWORD_SIZE], of_b[SMPP_PASSWORD_SIZE];
    resource_smpp_password(a, 0, of_a[0]);
    resource_smpp_password(a, 1, of_a[1]);
    resource_smpp_password(b, 0, of_b);
    assert_int_equal(strlen(of_a[0]), SMPP_PASSWORD_SIZE - 1);
    assert_string_not_equal(of_a[0], of_a[1]);
    expect(w, "salon", of_a[0], ERR_NONE, a);
    expect(w, "salon", of_a[1], ERR_NONE, a);
    expect(w, "salon", of_b, ERR_UNPROVEN, NULL);
    expect(w, "salon", "", ERR_UNPROVEN, NULL);
    expect(w, "salon", "longer than eight octets", ERR_UNPROVEN, NULL);
    expect(w, "nobody", of_a[0], ERR_ABSENT, NULL);
    expect(w, "", "", ERR_ABSENT, NULL);
    world_free(w);
}

static void a_long_name_has_a_system_id_of_fifteen_octets(void **state)
{
    (void)state;
    struct world *w = world_new();
    const struct resource *r = add(w, "a-name-of-many-octets");
    char id[SMPP_SYSTEM_ID_SIZE], password[SMPP_PASSWORD_SIZE];
    resource_smpp_system_id(r, id);
    resource_smpp_password(r, 0, password);
    assert_int_equal(strlen(id), 15);
    expect(w, id, password, ERR_NONE, r);
    expect(w, "a-name-of-many-octets", password, ERR_ABSENT, NULL);     /* it would not fit into a bind */
    expect(w, "r-zzzzzzzzzzzzz", password, ERR_ABSENT, NULL);
    expect(w, "r-uuuuuuuuuuuuu", password, ERR_ABSENT, NULL);           /* no digits of ours */
    world_free(w);
}

static void a_fresh_key_ends_the_password_of_the_old_one_alone(void **state)
{
    (void)state;
    struct world *w = world_new();
    const struct resource *r = add(w, "salon");
    char first[SMPP_PASSWORD_SIZE], second[SMPP_PASSWORD_SIZE];
    enum err err = ERR_BUSY;
    struct problem why = { 0 };
    resource_smpp_password(r, 0, first);
    resource_smpp_password(r, 1, second);
    assert_int_equal(accounts_rotate_key(w->accounts, STR("salon"), 0, on_done, &err, &why), ERR_NONE);
    world_settle(w);
    assert_int_equal(err, ERR_NONE);
    expect(w, "salon", first, ERR_UNPROVEN, NULL);
    expect(w, "salon", second, ERR_NONE, r);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_passwords_prove_the_resource_and_nothing_else_does),
        cmocka_unit_test(a_long_name_has_a_system_id_of_fifteen_octets),
        cmocka_unit_test(a_fresh_key_ends_the_password_of_the_old_one_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
