/* management_api.c - the resource manager's calls for communication services (spec resource-manager 2025-09-01).
 *
 * A resource here is a resource of our accounts, and the reverse: `carterfone resource add` makes what Get shows. Names of
 * resources are host labels, so they are read in lower case. What is created is there when it is answered, so its operation
 * has always succeeded; what is deleted has no keys when it is answered, and is gone once its operation says so.
 * Rows without a `run` answer 501: they stand in docs/conformance.md. */
#include "base/clock.h"
#include "base/str.h"
#include "domain/accounts/accounts.h"
#include "domain/rules.h"
#include "edge/api/api.h"
#include "edge/api/http.h"
#include "edge/api/resource_host.h"

#define PROVIDER "/providers/Microsoft.Communication"
#define IN_SUB   "/subscriptions/{subscriptionId}"
#define IN_GROUP IN_SUB "/resourceGroups/{resourceGroupName}"
#define SERVICES PROVIDER "/communicationServices"
#define ONE      IN_GROUP SERVICES "/{communicationServiceName}"
#define STATUSES IN_SUB PROVIDER "/locations/{location}/operationStatuses/{operationId}"
#define RESULTS  IN_SUB PROVIDER "/locations/{location}/operationResults/{operationId}"
#define EMAIL    IN_GROUP PROVIDER "/emailServices/{emailServiceName}"
#define DOMAIN   EMAIL "/domains/{domainName}"
#define LIST     DOMAIN "/suppressionLists/{suppressionListName}"

static const char TYPE[] = "Microsoft.Communication/CommunicationServices";

enum { PAGE = 100, TAGS_MOST = 50, DELETE_POLL_S = 1 };

/* -- what a path means ----------------------------------------------------------------------------------------------- */

static enum err at(const char *target, struct problem *why, enum err err)
{
    problem_target(why, "%s", target);
    return err;
}

/* Names are host labels. */
static struct str lower(struct http_call *hc, struct str s)
{
    char *p = arena_alloc(hc->arena, s.n + 1);
    for (size_t i = 0; p && i < s.n; i++)
        p[i] = (char)(s.p[i] >= 'A' && s.p[i] <= 'Z' ? s.p[i] | 32 : s.p[i]);
    return p ? (struct str){ p, s.n } : s;
}

static enum err find_subscription(struct http_call *hc, const struct subscription **out)
{
    *out = accounts_subscription_find(hc->api->accounts, hc->params[0]);
    if (*out)
        return ERR_NONE;
    return at("subscriptionId", &hc->why, rule_problem(&hc->why, ERR_ABSENT, RULE_SUBSCRIPTION_NOT_FOUND,
                                                       arena_shown(hc->arena, hc->params[0])));
}

/* The resource of a path, in its subscription and group; its name is the third parameter. */
static enum err find_resource(struct http_call *hc, const struct resource **out)
{
    const struct subscription *s;
    enum err err = find_subscription(hc, &s);
    if (err)
        return err;
    *out = accounts_resource_named(hc->api->accounts, hc->params[2]);
    if (*out && (*out)->subscription == s && str_eq_nocase(hc->params[1], str_of((*out)->group)))
        return ERR_NONE;
    return at("communicationServiceName", &hc->why,
              rule_problem(&hc->why, ERR_ABSENT, RULE_RESOURCE_NOT_FOUND, arena_shown(hc->arena, hc->params[2])));
}

/* -- answers --------------------------------------------------------------------------------------------------------- */

/* The operator is one; who of them it was is not known here. */
static void write_system_data(const struct resource *r, struct jw *w)
{
    jw_object(w, "systemData");
    jw_textz(w, "createdBy", "operator");
    jw_textz(w, "createdByType", "Application");
    jw_time(w, "createdAt", r->created_us);
    jw_textz(w, "lastModifiedBy", "operator");
    jw_textz(w, "lastModifiedByType", "Application");
    jw_time(w, "lastModifiedAt", r->changed_us);
    jw_end(w);
}

static void write_resource(struct http_call *hc, const struct resource *r, struct jw *w)
{
    jw_printf(w, "id", "/subscriptions/%s/resourceGroups/%s" PROVIDER "/CommunicationServices/%s", r->subscription->guid,
              r->group, r->name);
    jw_textz(w, "name", r->name);
    jw_textz(w, "type", TYPE);
    jw_textz(w, "location", r->location);
    jw_raw(w, "tags", r->tags ? str_of(r->tags) : STR("{}"));
    if (r->identity)
        jw_raw(w, "identity", str_of(r->identity));
    write_system_data(r, w);
    jw_object(w, "properties");
    jw_textz(w, "provisioningState", "Succeeded");
    jw_text(w, "hostName", resource_host(hc, r));
    jw_textz(w, "dataLocation", r->data_location);
    jw_textz(w, "immutableResourceId", r->guid);
    jw_textz(w, "publicNetworkAccess", "Enabled");
    jw_bool(w, "disableLocalAuth", r->keys_off);
    jw_end(w);
}

static void answer_resource(struct http_call *hc, const struct resource *r, int status)
{
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    write_resource(hc, r, &w);
    jw_end(&w);
    http_reply(hc, status);
}

static void answer_keys(struct http_call *hc, const struct resource *r)
{
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    accounts_write_keys(r, &w);
    jw_text(&w, "primaryConnectionString", resource_connection_string(hc, r, 0));
    jw_text(&w, "secondaryConnectionString", resource_connection_string(hc, r, 1));
    jw_end(&w);
    http_reply(hc, 200);
}

static void answer_operation_address(struct http_call *hc, const char *header, const char *kind, const struct resource *r)
{
    struct str base = http_base_url(hc);
    http_answer_header(hc, header, STR_FMT "/subscriptions/%s" PROVIDER "/locations/global/%s/%s?api-version=" STR_FMT,
                       STR_ARG(base), r->subscription->guid, kind, r->guid, STR_ARG(hc->api_version));
}

static enum err not_stored(struct http_call *hc, enum err err)
{
    return rule_problem(&hc->why, err, RULE_STORE_BUSY);
}

/* -- create, update -------------------------------------------------------------------------------------------------- */

static struct str json_as_text(struct http_call *hc, const struct json *j)
{
    scoped_buf b = { 0 };
    struct jw w = jw_of(&b);
    jw_json(&w, NULL, j);
    return b.bad ? (struct str){ NULL, 0 } : arena_str(hc->arena, buf_str(&b));
}

static enum err read_tags(struct http_call *hc, const struct json *tags)
{
    void *walk = NULL;
    struct str name;
    const struct json *value;
    bool good = json_count(tags) <= TAGS_MOST;
    while (good && json_next(tags, &walk, &name, &value))
        good = name.n && json_kind(value) == JSON_IS_TEXT;
    return good ? ERR_NONE : at("tags", &hc->why, rule_problem(&hc->why, ERR_RANGE, RULE_TAGS_INVALID));
}

/* What Create and Update have in common: into what the wish holds already. */
static enum err read_wish(struct http_call *hc, struct resource_wish *wish)
{
    static const struct json_shape shapes[] = {
        { "location", JSON_IS_TEXT }, { "tags", JSON_IS_OBJECT }, { "identity", JSON_IS_OBJECT },
        { "properties", JSON_IS_OBJECT }, { "properties.dataLocation", JSON_IS_TEXT },
        { "properties.linkedDomains", JSON_IS_ARRAY }, { "properties.publicNetworkAccess", JSON_IS_TEXT },
        { "properties.disableLocalAuth", JSON_IS_BOOL },
    };
    const struct json *tags = json_member(hc->json, "tags"), *identity = json_member(hc->json, "identity");
    const struct json *properties = json_member(hc->json, "properties");
    struct str access = json_text_of(properties, "publicNetworkAccess");
    enum err err = json_expect(hc->json, shapes, ARRAY_LEN(shapes), &hc->why);
    if (!err)
        err = read_tags(hc, tags);
    if (!err && access.n && !str_eq_nocase(access, STR("Enabled")))
        err = at("properties.publicNetworkAccess", &hc->why,
                 rule_problem(&hc->why, ERR_RANGE, RULE_PRIVATE_ACCESS_NOT_BUILT, arena_shown(hc->arena, access)));
    if (!err && json_count(json_member(properties, "linkedDomains")))
        err = at("properties.linkedDomains", &hc->why,
                 rule_problem(&hc->why, ERR_UNBUILT, RULE_LINKED_DOMAINS_NOT_BUILT));
    if (err)
        return err;
    if (json_kind(tags) == JSON_IS_OBJECT)
        wish->tags = json_as_text(hc, tags);
    if (json_kind(identity) == JSON_IS_OBJECT)
        wish->identity = json_as_text(hc, identity);
    wish->location = json_text_of(hc->json, "location");
    wish->data_location = json_text_of(properties, "dataLocation");
    wish->keys_off = json_bool_of(properties, "disableLocalAuth", wish->keys_off);
    return (json_kind(tags) == JSON_IS_OBJECT && !wish->tags.p) || (json_kind(identity) == JSON_IS_OBJECT && !wish->identity.p)
           ? ERR_NOMEM : ERR_NONE;
}

static void on_created(void *arg, enum err err)
{
    struct http_call *hc = arg;
    const struct resource *r = err ? NULL : accounts_resource_named(hc->api->accounts, hc->params[2]);
    if (!r) {
        http_fail(hc, not_stored(hc, err ? err : ERR_STORE));
        return;
    }
    answer_operation_address(hc, "Azure-AsyncOperation", "operationStatuses", r);
    answer_resource(hc, r, 201);
}

static void on_changed(void *arg, enum err err)
{
    struct http_call *hc = arg;
    const struct resource *r = err ? NULL : accounts_resource_named(hc->api->accounts, hc->params[2]);
    if (r)
        answer_resource(hc, r, 200);
    else
        http_fail(hc, not_stored(hc, err ? err : ERR_STORE));
}

static enum err create(struct http_call *hc, struct resource_wish *wish)
{
    if (!wish->data_location.n)
        return at("properties.dataLocation", &hc->why, rule_problem(&hc->why, ERR_RANGE, RULE_DATA_LOCATION_NEEDED));
    return accounts_make_resource(hc->api->accounts, wish, on_created, hc, &hc->why);
}

/* PUT says all of it: what is left out ends. */
static enum err change_whole(struct http_call *hc, const struct resource *r, const struct subscription *s,
                             const struct resource_wish *wish)
{
    if (r->subscription != s || !str_eq_nocase(hc->params[1], str_of(r->group)))
        return rule_problem(&hc->why, ERR_CONFLICT, RULE_RESOURCE_ELSEWHERE, r->name);
    if (wish->data_location.n && !str_eq_nocase(wish->data_location, str_of(r->data_location)))
        return at("properties.dataLocation", &hc->why,
                  rule_problem(&hc->why, ERR_CONFLICT, RULE_DATA_LOCATION_FIXED, r->name, r->data_location));
    return accounts_change_resource(hc->api->accounts, r->key, wish, on_changed, hc, &hc->why);
}

static enum err service_put(struct http_call *hc)
{
    const struct subscription *s;
    enum err err = find_subscription(hc, &s);
    hc->params[2] = lower(hc, hc->params[2]);
    struct resource_wish wish = { .name = hc->params[2], .subscription = hc->params[0], .group = hc->params[1] };
    if (!err)
        err = read_wish(hc, &wish);
    if (err)
        return err;
    const struct resource *r = accounts_resource_named(hc->api->accounts, hc->params[2]);
    return r ? change_whole(hc, r, s, &wish) : create(hc, &wish);
}

static enum err service_patch(struct http_call *hc)
{
    const struct resource *r;
    enum err err = find_resource(hc, &r);
    if (err)
        return err;
    struct resource_wish wish = { .tags = arena_str(hc->arena, str_of(r->tags)),
                                  .identity = arena_str(hc->arena, str_of(r->identity)), .keys_off = r->keys_off };
    err = read_wish(hc, &wish);
    return err ? err : accounts_change_resource(hc->api->accounts, r->key, &wish, on_changed, hc, &hc->why);
}

/* -- read ------------------------------------------------------------------------------------------------------------ */

static enum err service_get(struct http_call *hc)
{
    const struct resource *r;
    enum err err = find_resource(hc, &r);
    if (!err)
        answer_resource(hc, r, 200);
    return err;
}

/* The next page begins behind the last resource of this one; the address is absolute, as clients of all languages expect. */
static void write_next_link(struct http_call *hc, struct str group, const struct resource *last, struct jw *w)
{
    struct str base = http_base_url(hc);
    if (!last)
        jw_null(w, "nextLink");
    else
        jw_printf(w, "nextLink", STR_FMT "/subscriptions/%s%s" STR_FMT SERVICES "?api-version=" STR_FMT "&%%24skipToken=%s",
                  STR_ARG(base), last->subscription->guid, group.n ? "/resourceGroups/" : "", STR_ARG(group),
                  STR_ARG(hc->api_version), last->guid);
}

static enum err services_list(struct http_call *hc, struct str group)
{
    const struct resource *page[PAGE];
    const struct subscription *s;
    struct str token = http_query(hc, "$skipToken");
    uint64_t after = 0;
    bool more;
    enum err err = find_subscription(hc, &s);
    if (!err && token.n && ids_guid_read(hc->api->control->ids, ID_RESOURCE, token, &after))
        err = at("$skipToken", &hc->why, problem_set(&hc->why, ERR_RANGE, "BadRequest", "That $skipToken is none of ours."));
    if (err)
        return err;
    size_t n = accounts_resources(hc->api->accounts, s, group, after, page, PAGE, &more);
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    for (size_t i = 0; i < n; i++) {
        jw_object(&w, NULL);
        write_resource(hc, page[i], &w);
        jw_end(&w);
    }
    jw_end(&w);
    write_next_link(hc, n ? str_of(group.n ? page[0]->group : "") : STR(""), more ? page[n - 1] : NULL, &w);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

static enum err services_get(struct http_call *hc)
{
    return services_list(hc, STR(""));
}

static enum err group_services_get(struct http_call *hc)
{
    return services_list(hc, hc->params[1]);
}

static enum err name_check_post(struct http_call *hc)
{
    const struct subscription *s;
    struct str name = lower(hc, json_text_of(hc->json, "name")), type = json_text_of(hc->json, "type");
    struct problem why = { 0 };
    enum err err = find_subscription(hc, &s);
    if (!err && !str_eq_nocase(type, str_of(TYPE)))
        err = at("type", &hc->why, problem_set(&hc->why, ERR_RANGE, "BadRequest", "type must be '%s'.", TYPE));
    if (err)
        return err;
    err = accounts_resource_name(hc->api->accounts, name, &why);
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_bool(&w, "nameAvailable", !err);
    if (err) {
        jw_textz(&w, "reason", err == ERR_CONFLICT ? "AlreadyExists" : "Invalid");
        jw_textz(&w, "message", why.text);
    }
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

/* -- keys ------------------------------------------------------------------------------------------------------------ */

static enum err keys_post(struct http_call *hc)
{
    const struct resource *r;
    enum err err = find_resource(hc, &r);
    if (!err)
        answer_keys(hc, r);
    return err;
}

static void on_regenerated(void *arg, enum err err)
{
    struct http_call *hc = arg;
    const struct resource *r = err ? NULL : accounts_resource_named(hc->api->accounts, hc->params[2]);
    if (r)
        answer_keys(hc, r);
    else
        http_fail(hc, not_stored(hc, err ? err : ERR_STORE));
}

static enum err key_post(struct http_call *hc)
{
    const struct resource *r;
    struct str which = json_text_of(hc->json, "keyType");
    bool second = str_eq_nocase(which, STR("Secondary"));
    enum err err = find_resource(hc, &r);
    if (!err && !second && !str_eq_nocase(which, STR("Primary")))
        err = at("keyType", &hc->why, rule_problem(&hc->why, ERR_RANGE, RULE_KEY_TYPE_UNKNOWN, arena_shown(hc->arena, which)));
    return err ? err : accounts_rotate_key(hc->api->accounts, str_of(r->name), second, on_regenerated, hc, &hc->why);
}

/* -- delete, operations ---------------------------------------------------------------------------------------------- */

static void on_deleted(void *arg, enum err err)
{
    struct http_call *hc = arg;
    const struct resource *r = err ? NULL : hc->user;
    if (!r) {
        http_fail(hc, not_stored(hc, err));
        return;
    }
    answer_operation_address(hc, "Location", "operationResults", r);
    http_answer_header(hc, "Retry-After", "%d", DELETE_POLL_S);
    http_reply(hc, 202);
}

static enum err service_delete(struct http_call *hc)
{
    const struct resource *r = NULL;
    const struct subscription *s;
    enum err err = find_subscription(hc, &s);
    if (err)
        return err;
    if (find_resource(hc, &r)) {                /* as the service has it: that is what was wanted */
        hc->why = (struct problem){ 0 };
        http_reply(hc, 204);
        return ERR_NONE;
    }
    hc->user = (void *)(uintptr_t)r;            /* it stays in memory, deleted or not */
    return accounts_delete_resource(hc->api->accounts, r->key, false, on_deleted, hc, &hc->why);
}

static enum err find_operation(struct http_call *hc, const struct resource **out)
{
    uint64_t key;
    const struct subscription *s;
    enum err err = find_subscription(hc, &s);
    if (err)
        return err;
    err = ids_guid_read(hc->api->control->ids, ID_RESOURCE, hc->params[2], &key);
    *out = err ? NULL : accounts_resource_ever(hc->api->accounts, key);
    if (*out && (*out)->subscription == s)
        return ERR_NONE;
    return rule_problem(&hc->why, ERR_ABSENT, RULE_OPERATION_NOT_FOUND, arena_shown(hc->arena, hc->params[2]));
}

/* Of a creation or of a deletion: what became of the resource. */
static enum err status_get(struct http_call *hc)
{
    const struct resource *r;
    enum err err = find_operation(hc, &r);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_printf(&w, "id", STR_FMT, STR_ARG(hc->path));
    jw_textz(&w, "name", r->guid);
    jw_textz(&w, "status", r->ending ? "Running" : "Succeeded");
    jw_time(&w, "startTime", r->ending || r->gone ? r->changed_us : r->created_us);
    if (!r->ending)
        jw_time(&w, "endTime", r->gone ? r->changed_us : r->created_us);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

/* Where a deletion is followed: 202 until it is done. */
static enum err result_get(struct http_call *hc)
{
    const struct resource *r;
    enum err err = find_operation(hc, &r);
    if (err)
        return err;
    if (r->ending) {
        answer_operation_address(hc, "Location", "operationResults", r);
        http_answer_header(hc, "Retry-After", "%d", DELETE_POLL_S);
        http_reply(hc, 202);
    } else if (r->gone) {
        http_reply(hc, 204);
    } else {
        answer_resource(hc, r, 200);
    }
    return ERR_NONE;
}

static enum err operations_get(struct http_call *hc)
{
    static const struct { const char *name, *words; } all[] = {
        { "CommunicationServices/read", "Read a communication service" },
        { "CommunicationServices/write", "Create or change a communication service" },
        { "CommunicationServices/delete", "Delete a communication service" },
        { "CommunicationServices/ListKeys/action", "Read the keys of a communication service" },
        { "CommunicationServices/RegenerateKey/action", "Make a new key for a communication service" },
        { "CheckNameAvailability/action", "Ask whether a name is free" },
    };
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        jw_object(&w, NULL);
        jw_printf(&w, "name", "Microsoft.Communication/%s", all[i].name);
        jw_bool(&w, "isDataAction", false);
        jw_object(&w, "display");
        jw_textz(&w, "provider", "Carterfone");
        jw_textz(&w, "resource", "Communication services");
        jw_textz(&w, "operation", all[i].words);
        jw_textz(&w, "description", all[i].words);
        jw_end(&w);
        jw_textz(&w, "origin", "user,system");
        jw_end(&w);
    }
    jw_end(&w);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

#define TEST "tests/api/accounts.test.mjs"
#define BUILT(method, path, run, operation) { method, path, HTTP_MANAGER, NULL, run, operation, TEST }
#define UNBUILT(method, path, operation)    { method, path, HTTP_MANAGER, NULL, NULL, operation, "" }
const struct http_route management_routes[] = {
    BUILT("GET", PROVIDER "/operations", operations_get, "Operations_List"),
    BUILT("POST", IN_SUB PROVIDER "/checkNameAvailability", name_check_post, "CommunicationServices_CheckNameAvailability"),
    UNBUILT("POST", ONE "/linkNotificationHub", "CommunicationServices_LinkNotificationHub"),
    BUILT("GET", IN_SUB SERVICES, services_get, "CommunicationServices_ListBySubscription"),
    BUILT("GET", IN_GROUP SERVICES, group_services_get, "CommunicationServices_ListByResourceGroup"),
    BUILT("PATCH", ONE, service_patch, "CommunicationServices_Update"),
    BUILT("GET", ONE, service_get, "CommunicationServices_Get"),
    BUILT("PUT", ONE, service_put, "CommunicationServices_CreateOrUpdate"),
    BUILT("DELETE", ONE, service_delete, "CommunicationServices_Delete"),
    BUILT("POST", ONE "/listKeys", keys_post, "CommunicationServices_ListKeys"),
    BUILT("POST", ONE "/regenerateKey", key_post, "CommunicationServices_RegenerateKey"),
    BUILT("GET", STATUSES, status_get, "Carterfone_GetManagementOperationStatus"),
    BUILT("GET", RESULTS, result_get, "Carterfone_GetManagementOperationResult"),
    /* the rest is e-mail */
    UNBUILT("GET", EMAIL, "EmailServices_Get"),
    UNBUILT("PUT", EMAIL, "EmailServices_CreateOrUpdate"),
    UNBUILT("DELETE", EMAIL, "EmailServices_Delete"),
    UNBUILT("PATCH", EMAIL, "EmailServices_Update"),
    UNBUILT("GET", IN_SUB PROVIDER "/emailServices", "EmailServices_ListBySubscription"),
    UNBUILT("GET", IN_GROUP PROVIDER "/emailServices", "EmailServices_ListByResourceGroup"),
    UNBUILT("POST", IN_SUB PROVIDER "/listVerifiedExchangeOnlineDomains", "EmailServices_ListVerifiedExchangeOnlineDomains"),
    UNBUILT("GET", DOMAIN, "Domains_Get"),
    UNBUILT("PUT", DOMAIN, "Domains_CreateOrUpdate"),
    UNBUILT("DELETE", DOMAIN, "Domains_Delete"),
    UNBUILT("PATCH", DOMAIN, "Domains_Update"),
    UNBUILT("GET", EMAIL "/domains", "Domains_ListByEmailServiceResource"),
    UNBUILT("POST", DOMAIN "/initiateVerification", "Domains_InitiateVerification"),
    UNBUILT("POST", DOMAIN "/cancelVerification", "Domains_CancelVerification"),
    UNBUILT("GET", DOMAIN "/senderUsernames", "SenderUsernames_ListByDomains"),
    UNBUILT("GET", DOMAIN "/senderUsernames/{senderUsername}", "SenderUsernames_Get"),
    UNBUILT("PUT", DOMAIN "/senderUsernames/{senderUsername}", "SenderUsernames_CreateOrUpdate"),
    UNBUILT("DELETE", DOMAIN "/senderUsernames/{senderUsername}", "SenderUsernames_Delete"),
    UNBUILT("GET", ONE "/smtpUsernames", "SmtpUsernames_List"),
    UNBUILT("GET", ONE "/smtpUsernames/{smtpUsername}", "SmtpUsernames_Get"),
    UNBUILT("PUT", ONE "/smtpUsernames/{smtpUsername}", "SmtpUsernames_CreateOrUpdate"),
    UNBUILT("DELETE", ONE "/smtpUsernames/{smtpUsername}", "SmtpUsernames_Delete"),
    UNBUILT("GET", DOMAIN "/suppressionLists", "SuppressionLists_ListByDomain"),
    UNBUILT("GET", LIST, "SuppressionLists_Get"),
    UNBUILT("PUT", LIST, "SuppressionLists_CreateOrUpdate"),
    UNBUILT("DELETE", LIST, "SuppressionLists_Delete"),
    UNBUILT("GET", LIST "/suppressionListAddresses", "SuppressionListAddresses_List"),
    UNBUILT("GET", LIST "/suppressionListAddresses/{addressId}", "SuppressionListAddresses_Get"),
    UNBUILT("PUT", LIST "/suppressionListAddresses/{addressId}", "SuppressionListAddresses_CreateOrUpdate"),
    UNBUILT("DELETE", LIST "/suppressionListAddresses/{addressId}", "SuppressionListAddresses_Delete"),
    { 0 },
};
