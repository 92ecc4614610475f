/* operator_api.c - Carterfone's own API under /carterfone/v1: the table.
 *
 * Rows without a `run` answer 501: they stand in docs/conformance.md. */
#include "domain/rules.h"
#include "edge/api/operator_priv.h"

enum err operator_only(struct http_call *hc)
{
    return hc->is_operator ? ERR_NONE
                           : rule_problem(&hc->why, ERR_FORBIDDEN, RULE_OPERATOR_ONLY,
                                          "Sign with the operator's key (DATA/operator.key)");
}

bool operator_unstored(struct http_call *hc, enum err err)
{
    if (err) {
        rule_problem(&hc->why, err, RULE_STORE_BUSY);
        http_fail(hc, err);
    }
    return err != ERR_NONE;
}

uint64_t operator_sees(const struct http_call *hc)
{
    return hc->is_operator ? 0 : hc->resource;
}

enum err operator_resource(struct http_call *hc, struct str name, const struct resource **out)
{
    const struct accounts *a = hc->api->accounts;
    if (!hc->is_operator)
        *out = accounts_resource(a, hc->resource);
    else
        *out = accounts_resource_named(a, name.n ? name : STR("default"));
    if (*out && (hc->is_operator || !name.n || str_eqz(name, (*out)->name)))
        return ERR_NONE;
    enum err err = problem_set(&hc->why, ERR_ABSENT, "NotFound", "There is no resource named '" STR_FMT "' for this key.",
                               STR_ARG(name.n ? name : STR("default")));
    problem_target(&hc->why, "resource");
    return err;
}

void operator_answer_json(void *arg, enum err err, struct str json)
{
    struct http_call *hc = arg;
    if (err) {
        problem_set(&hc->why, err, err == ERR_ABSENT ? "NotFound" : "ServiceUnavailable",
                    err == ERR_ABSENT ? "There is no such thing, or it is not yours." : "It could not be read.");
        http_fail(hc, err);
        return;
    }
    buf_puts(&hc->out, json);
    http_reply(hc, 200);
}

enum err operator_answer_all(struct http_call *hc, void (*write)(const struct http_call *hc, struct jw *w))
{
    enum err err = operator_only(hc);
    if (!err)
        err = http_query_known(hc, NULL, 0);
    if (err)
        return err;
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    write(hc, &w);
    jw_end(&w);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

/* -- the server itself --------------------------------------------------------------------------------------------- */

static enum err status_get(struct http_call *hc)
{
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_time(&w, "productTime", control_now_us(hc->api->control));
    jw_bool(&w, "simulator", hc->api->sim_command != NULL);
    if (hc->is_operator) {              /* whose carriers these are is no business of a resource */
        jw_array(&w, "carriers");
        messages_write_carriers(hc->api->messages, &w);
        jw_end(&w);
    }
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

static enum err routes_get(struct http_call *hc)
{
    struct jw w = jw_of(&hc->out);
    jw_object(&w, NULL);
    jw_array(&w, "value");
    for (const struct http_route *const *t = http_route_tables; *t; t++)
        for (const struct http_route *r = *t; r->method; r++) {
            jw_object(&w, NULL);
            jw_textz(&w, "method", r->method);
            jw_textz(&w, "path", r->path);
            jw_textz(&w, "operation", r->operation);
            jw_textz(&w, "state", http_route_state(r));
            jw_textz(&w, "test", http_route_test(r));
            jw_end(&w);
        }
    jw_end(&w);
    jw_end(&w);
    http_reply(hc, 200);
    return ERR_NONE;
}

#define TOUR "tests/api/operator.test.mjs"
#define SIM_SMSC "tests/api/sim-smsc.test.mjs"
#define EVENTS "tests/api/events-delivery.test.mjs"
#define HANDSETS "tests/api/handsets.test.mjs"
#define PLAN "tests/api/plan.test.mjs"
#define SIP "tests/api/sip-routing.test.mjs"
#define ACCOUNTS "tests/api/accounts.test.mjs"
#define REGISTRATIONS "tests/api/registrations.test.mjs"
#define MONEY "tests/api/money.test.mjs"
#define FAULTS "tests/api/faults.test.mjs"
#define SMS_ROUTES "tests/api/sms-routes.test.mjs"
#define SMS_GUARDS "tests/api/sms-guards.test.mjs"
#define SNAPSHOTS "tests/api/snapshots.test.mjs"

const struct http_route operator_routes[] = {
    { "GET", V1 "/status", HTTP_OPERATOR, NULL, status_get, "Carterfone_Status", TOUR },
    { "GET", V1 "/routes", HTTP_OPERATOR, NULL, routes_get, "Carterfone_Routes", TOUR },
    { "GET", V1 "/accounts", HTTP_OPERATOR, NULL, accounts_get, "Carterfone_ListAccounts", TOUR },
    { "POST", V1 "/accounts", HTTP_OPERATOR, NULL, accounts_post, "Carterfone_AddAccount", TOUR },
    { "GET", V1 "/accounts/{name}", HTTP_OPERATOR, NULL, account_get, "Carterfone_GetAccount", ACCOUNTS },
    { "PATCH", V1 "/accounts/{name}", HTTP_OPERATOR, NULL, account_patch, "Carterfone_ChangeAccount", ACCOUNTS },
    { "GET", V1 "/resources", HTTP_OPERATOR, NULL, resources_get, "Carterfone_ListResources", TOUR },
    { "POST", V1 "/resources", HTTP_OPERATOR, NULL, resources_post, "Carterfone_AddResource", TOUR },
    { "GET", V1 "/resources/{name}", HTTP_OPERATOR, NULL, resource_get, "Carterfone_GetResource", ACCOUNTS },
    { "DELETE", V1 "/resources/{name}", HTTP_OPERATOR, NULL, resource_delete, "Carterfone_DeleteResource", ACCOUNTS },
    { "GET", V1 "/resources/{name}/keys", HTTP_OPERATOR, NULL, resource_keys_get, "Carterfone_GetKeys", TOUR },
    { "POST", V1 "/resources/{name}/:rotateKey", HTTP_OPERATOR, NULL, resource_rotate_post, "Carterfone_RotateKey", TOUR },
    { "GET", V1 "/smscs", HTTP_OPERATOR, NULL, smscs_get, "Carterfone_ListSmscs", TOUR },
    { "POST", V1 "/smscs", HTTP_OPERATOR, NULL, smscs_post, "Carterfone_AddSmsc", TOUR },
    { "GET", V1 "/smsGuards", HTTP_OPERATOR, NULL, sms_guards_get, "Carterfone_ListSmsGuards", SMS_GUARDS },
    { "POST", V1 "/smsGuards", HTTP_OPERATOR, NULL, sms_guards_post, "Carterfone_AddSmsGuard", SMS_GUARDS },
    { "PATCH", V1 "/smsGuards/{name}", HTTP_OPERATOR, NULL, sms_guard_patch, "Carterfone_ChangeSmsGuard", SMS_GUARDS },
    { "DELETE", V1 "/smsGuards/{name}", HTTP_OPERATOR, NULL, sms_guard_delete, "Carterfone_RemoveSmsGuard", SMS_GUARDS },
    { "POST", V1 "/messages/{id}/:cancel", HTTP_OPERATOR, NULL, message_cancel_post, "Carterfone_CancelMessage", SMS_GUARDS },
    { "PATCH", V1 "/smscs/{name}", HTTP_OPERATOR, NULL, smsc_patch, "Carterfone_ChangeSmsc", "tests/api/smscs.test.mjs" },
    { "DELETE", V1 "/smscs/{name}", HTTP_OPERATOR, NULL, smsc_delete, "Carterfone_RemoveSmsc", "tests/api/smscs.test.mjs" },
    { "POST", V1 "/smscs/{name}/:test", HTTP_OPERATOR, NULL, smsc_test_post, "Carterfone_TestSmsc", "tests/api/smsc-test.test.mjs" },
    { "GET", V1 "/smsRoutes", HTTP_OPERATOR, NULL, sms_routes_get, "Carterfone_ListSmsRoutes", SMS_ROUTES },
    { "POST", V1 "/smsRoutes", HTTP_OPERATOR, NULL, sms_routes_post, "Carterfone_AddSmsRoute", SMS_ROUTES },
    { "GET", V1 "/smsRoutes/:why", HTTP_OPERATOR, NULL, sms_routes_why_get, "Carterfone_ExplainSmsRoute", SMS_ROUTES },
    { "PATCH", V1 "/smsRoutes/{name}", HTTP_OPERATOR, NULL, sms_route_patch, "Carterfone_ChangeSmsRoute", SMS_ROUTES },
    { "DELETE", V1 "/smsRoutes/{name}", HTTP_OPERATOR, NULL, sms_route_delete, "Carterfone_RemoveSmsRoute", SMS_ROUTES },
    { "GET", V1 "/trunks", HTTP_OPERATOR, NULL, trunks_get, "Carterfone_ListTrunks", TOUR },
    { "POST", V1 "/trunks", HTTP_OPERATOR, NULL, trunks_post, "Carterfone_AddTrunk", TOUR },
    { "GET", V1 "/eventSubscriptions", HTTP_OPERATOR, NULL, event_subscriptions_get, "Carterfone_ListEventSubscriptions", TOUR },
    { "POST", V1 "/eventSubscriptions", HTTP_OPERATOR, NULL, event_subscriptions_post, "Carterfone_AddEventSubscription", TOUR },
    { "GET", V1 "/eventSubscriptions/{id}", HTTP_OPERATOR, NULL, event_subscriptions_show, "Carterfone_GetEventSubscription", EVENTS },
    { "PATCH", V1 "/eventSubscriptions/{id}", HTTP_OPERATOR, NULL, event_subscriptions_patch, "Carterfone_ChangeEventSubscription", EVENTS },
    { "DELETE", V1 "/eventSubscriptions/{id}", HTTP_OPERATOR, NULL, event_subscriptions_delete, "Carterfone_DeleteEventSubscription", TOUR },
    { "GET", V1 "/eventSubscriptions/{id}/:validate", HTTP_PUBLIC, NULL, event_subscriptions_validate, "Carterfone_ValidateEventSubscription", TOUR },
    { "GET", V1 "/events", HTTP_OPERATOR, NULL, events_get, "Carterfone_ListEvents", TOUR },
    { "GET", V1 "/events/{id}", HTTP_OPERATOR, NULL, events_show_get, "Carterfone_GetEvent", EVENTS },
    { "POST", V1 "/events/:replay", HTTP_OPERATOR, NULL, events_replay_post, "Carterfone_ReplayEvents", EVENTS },
    { "GET", V1 "/deadLetters", HTTP_OPERATOR, NULL, events_dead_get, "Carterfone_ListDeadLetters", EVENTS },
    { "GET", V1 "/messages", HTTP_OPERATOR, NULL, messages_get_all, "Carterfone_ListMessages", TOUR },
    { "POST", V1 "/messages/:preview", HTTP_OPERATOR, preview_read, preview_post, "Carterfone_PreviewMessage", "tests/api/preview.test.mjs" },
    { "GET", V1 "/messages/{id}", HTTP_OPERATOR, NULL, messages_get_one, "Carterfone_GetMessage", TOUR },
    { "GET", V1 "/calls", HTTP_OPERATOR, NULL, calls_get_all, "Carterfone_ListCalls", TOUR },
    { "GET", V1 "/calls/{id}", HTTP_OPERATOR, NULL, calls_get_one, "Carterfone_GetCall", TOUR },
    { "POST", V1 "/calls", HTTP_OPERATOR, NULL, calls_post, "Carterfone_PlaceCall", TOUR },
    { "POST", V1 "/calls/{id}/:hangup", HTTP_OPERATOR, NULL, calls_post_hangup, "Carterfone_HangUpCall", TOUR },
    { "GET", V1 "/explain/{id}", HTTP_OPERATOR, NULL, explain_get, "Carterfone_Explain", "tests/api/explain.test.mjs" },
    { "GET", V1 "/sim/smsc", HTTP_OPERATOR, NULL, sim_smsc_get, "Carterfone_GetSimulatedSmsc", SIM_SMSC },
    { "PATCH", V1 "/sim/smsc", HTTP_OPERATOR, NULL, sim_smsc_patch, "Carterfone_SetSimulatedSmsc", SIM_SMSC },
    { "POST", V1 "/sim/smsc/:reset", HTTP_OPERATOR, NULL, sim_smsc_reset_post, "Carterfone_ResetSimulatedSmsc", SIM_SMSC },
    { "POST", V1 "/sim/smsc/:cut", HTTP_OPERATOR, NULL, sim_smsc_cut_post, "Carterfone_CutSimulatedSmsc", SIM_SMSC },
    { "POST", V1 "/sim/smsc/:outage", HTTP_OPERATOR, NULL, sim_smsc_outage_post, "Carterfone_StartSmscOutage", SIM_SMSC },
    { "POST", V1 "/sim/smsc/:inject", HTTP_OPERATOR, NULL, sim_smsc_inject_post, "Carterfone_InjectSms", SIM_SMSC },
    { "GET", V1 "/handsets", HTTP_OPERATOR, NULL, handsets_get, "Carterfone_ListHandsets", TOUR },
    { "GET", V1 "/handsets/{number}/inbox", HTTP_OPERATOR, NULL, handset_inbox_get, "Carterfone_GetHandsetInbox", TOUR },
    { "POST", V1 "/handsets/{number}/:sms", HTTP_OPERATOR, NULL, handset_sms_post, "Carterfone_SendFromHandset", TOUR },
    { "POST", V1 "/handsets/{number}/:attach", HTTP_OPERATOR, NULL, handset_attach_post, "Carterfone_AttachHandset", TOUR },
    { "POST", V1 "/handsets/{number}/:answer", HTTP_OPERATOR, NULL, handset_answer_post, "Carterfone_AnswerHandset", TOUR },
    { "POST", V1 "/handsets/{number}/:press", HTTP_OPERATOR, NULL, handset_press_post, "Carterfone_PressHandset", TOUR },
    { "POST", V1 "/handsets/{number}/:dial", HTTP_OPERATOR, NULL, handset_dial_post, "Carterfone_DialHandset", TOUR },
    { "POST", V1 "/handsets/{number}/:hangup", HTTP_OPERATOR, NULL, handset_hangup_post, "Carterfone_HangUpHandset", TOUR },
    { "POST", V1 "/handsets/{number}/:detach", HTTP_OPERATOR, NULL, handset_detach_post, "Carterfone_DetachHandset", HANDSETS },
    { "POST", V1 "/handsets/{number}/:reject", HTTP_OPERATOR, NULL, handset_reject_post, "Carterfone_RejectOnHandset", HANDSETS },
    { "POST", V1 "/handsets/{number}/:say", HTTP_OPERATOR, NULL, handset_say_post, "Carterfone_SayOnHandset", HANDSETS },
    { "POST", V1 "/handsets/{number}/:record", HTTP_OPERATOR, NULL, handset_record_post, "Carterfone_RecordOnHandset", HANDSETS },
    { "POST", V1 "/handsets/{number}/:set", HTTP_OPERATOR, NULL, handset_set_post, "Carterfone_SetHandset", HANDSETS },
    { "POST", V1 "/handsets/{number}/:clear", HTTP_OPERATOR, NULL, handset_clear_post, "Carterfone_ClearHandset", HANDSETS },
    { "POST", V1 "/handsets/:clear", HTTP_OPERATOR, NULL, handset_clear_post, "Carterfone_ClearHandsets", HANDSETS },
    { "GET", V1 "/sim/handsets", HTTP_OPERATOR, NULL, sim_handsets_get, "Carterfone_GetHandsetBehaviours", HANDSETS },
    { "GET", V1 "/availability", HTTP_OPERATOR, NULL, availability_get, "Carterfone_ListAvailability", PLAN },
    { "GET", V1 "/price", HTTP_OPERATOR, NULL, price_get, "Carterfone_GetPrice", PLAN },
    { "GET", V1 "/plan", HTTP_OPERATOR, NULL, plan_get, "Carterfone_Plan", PLAN },
    { "GET", V1 "/registrations", HTTP_OPERATOR, NULL, registrations_get_all, "Carterfone_ListRegistrations", REGISTRATIONS },
    { "GET", V1 "/registrations/{id}", HTTP_OPERATOR, NULL, registrations_get_one, "Carterfone_GetRegistration", REGISTRATIONS },
    { "POST", V1 "/registrations/{id}/:decide", HTTP_OPERATOR, NULL, registrations_post_decide, "Carterfone_DecideRegistration", REGISTRATIONS },
    { "GET", V1 "/phoneNumbers/{number}/registration", HTTP_OPERATOR, NULL, number_registration_get, "Carterfone_GetNumberRegistration", REGISTRATIONS },
    { "GET", V1 "/usage", HTTP_OPERATOR, NULL, usage_get, "Carterfone_ListUsage", MONEY },
    { "GET", V1 "/invoice", HTTP_OPERATOR, NULL, invoice_get, "Carterfone_GetInvoice", MONEY },
    { "POST", V1 "/accounts/{name}/:spendCap", HTTP_OPERATOR, NULL, spend_cap_post, "Carterfone_SetSpendCap", MONEY },
    { "GET", V1 "/sipDomains", HTTP_OPERATOR, NULL, sip_domains_get, "Carterfone_ListSipDomains", SIP },
    { "POST", V1 "/sipDomains/{domain}/:verify", HTTP_OPERATOR, NULL, sip_domain_verify_post, "Carterfone_VerifySipDomain", SIP },
    { "POST", V1 "/sipDomains/{domain}/:unverify", HTTP_OPERATOR, NULL, sip_domain_unverify_post, "Carterfone_UnverifySipDomain", SIP },
    { "GET", V1 "/faults", HTTP_OPERATOR, NULL, faults_get, "Carterfone_ListFaults", FAULTS },
    { "POST", V1 "/faults", HTTP_OPERATOR, NULL, faults_post, "Carterfone_AddFault", FAULTS },
    { "DELETE", V1 "/faults", HTTP_OPERATOR, NULL, faults_delete, "Carterfone_ClearFaults", FAULTS },
    { "DELETE", V1 "/faults/{id}", HTTP_OPERATOR, NULL, fault_delete, "Carterfone_ClearFault", FAULTS },
    { "GET", V1 "/snapshots", HTTP_OPERATOR, NULL, snapshots_get, "Carterfone_ListSnapshots", SNAPSHOTS },
    { "POST", V1 "/snapshots", HTTP_OPERATOR, NULL, snapshots_post, "Carterfone_TakeSnapshot", SNAPSHOTS },
    { "DELETE", V1 "/snapshots/{name}", HTTP_OPERATOR, NULL, snapshot_delete, "Carterfone_DeleteSnapshot", SNAPSHOTS },
    { "POST", V1 "/snapshots/{name}/:restore", HTTP_OPERATOR, NULL, snapshot_restore_post, "Carterfone_RestoreSnapshot", SNAPSHOTS },
    { "POST", V1 "/:reset", HTTP_OPERATOR, NULL, reset_post, "Carterfone_Reset", SNAPSHOTS },
    { "GET", V1 "/clock", HTTP_OPERATOR, NULL, clock_get, "Carterfone_GetClock", TOUR },
    { "POST", V1 "/clock/:advance", HTTP_OPERATOR, NULL, clock_advance_post, "Carterfone_AdvanceClock", TOUR },
    { 0 },
};
