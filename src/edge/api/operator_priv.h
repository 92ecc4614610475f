/* operator_priv.h - what the files of our own API share: one function for each route, in the file of its area. */
#pragma once
#include "base/str.h"
#include "domain/accounts/accounts.h"
#include "domain/calls/calls.h"
#include "domain/events/events.h"
#include "domain/explain/explain.h"
#include "domain/messages/messages.h"
#include "edge/api/api.h"
#include "edge/api/http.h"

#define V1 "/carterfone/v1"

/** Only the operator's key. @return ERR_FORBIDDEN with `why` */
MUST_USE enum err operator_only(struct http_call *hc);
/** Answers for a change or a read that the store did not take. @return true: there was an error, and it is told */
bool operator_unstored(struct http_call *hc, enum err err);
/** The resource an operator's request means: the one named by `name`, else its caller's, else "default".
 *  @return ERR_ABSENT with `why` */
MUST_USE enum err operator_resource(struct http_call *hc, struct str name, const struct resource **out);
/** Which rows a caller may see: 0 (all) for the operator, else its own. */
uint64_t operator_sees(const struct http_call *hc);
/** Answer with a JSON text or the error; a messages_json_fn, explain_fn and events_listed_fn. arg is hc. */
void operator_answer_json(void *arg, enum err err, struct str json);

/** {"value":[…]} of all there are, to the operator alone. @param write  the objects, into the open array */
MUST_USE enum err operator_answer_all(struct http_call *hc, void (*write)(const struct http_call *hc, struct jw *w));

/* operator_accounts.c */
enum err accounts_get(struct http_call *hc);
enum err accounts_post(struct http_call *hc);
enum err account_get(struct http_call *hc);
enum err account_patch(struct http_call *hc);
enum err resources_get(struct http_call *hc);
enum err resources_post(struct http_call *hc);
enum err resource_get(struct http_call *hc);
enum err resource_delete(struct http_call *hc);
enum err resource_keys_get(struct http_call *hc);
enum err resource_rotate_post(struct http_call *hc);

/* preview_api.c */
enum err preview_read(struct http_call *hc);
enum err preview_post(struct http_call *hc);

/* operator_look.c */
enum err messages_get_all(struct http_call *hc);
enum err messages_get_one(struct http_call *hc);
enum err explain_get(struct http_call *hc);
enum err calls_get_all(struct http_call *hc);
enum err calls_get_one(struct http_call *hc);
enum err calls_post(struct http_call *hc);
enum err calls_post_hangup(struct http_call *hc);

/* operator_events.c */
enum err event_subscriptions_get(struct http_call *hc);
enum err event_subscriptions_post(struct http_call *hc);
enum err event_subscriptions_show(struct http_call *hc);
enum err event_subscriptions_patch(struct http_call *hc);
enum err event_subscriptions_delete(struct http_call *hc);
enum err event_subscriptions_validate(struct http_call *hc);
enum err events_get(struct http_call *hc);
enum err events_show_get(struct http_call *hc);
enum err events_replay_post(struct http_call *hc);
enum err events_dead_get(struct http_call *hc);

/* operator_network.c */
enum err smscs_get(struct http_call *hc);
enum err smscs_post(struct http_call *hc);
enum err smsc_patch(struct http_call *hc);
enum err smsc_delete(struct http_call *hc);
enum err smsc_test_post(struct http_call *hc);
enum err trunks_get(struct http_call *hc);
enum err trunks_post(struct http_call *hc);
enum err sim_smsc_get(struct http_call *hc);
enum err sim_smsc_patch(struct http_call *hc);
enum err sim_smsc_reset_post(struct http_call *hc);
enum err sim_smsc_cut_post(struct http_call *hc);
enum err sim_smsc_outage_post(struct http_call *hc);
enum err sim_smsc_inject_post(struct http_call *hc);
enum err handsets_get(struct http_call *hc);
enum err handset_inbox_get(struct http_call *hc);
enum err handset_sms_post(struct http_call *hc);
enum err handset_attach_post(struct http_call *hc);
enum err handset_answer_post(struct http_call *hc);
enum err handset_press_post(struct http_call *hc);
enum err handset_dial_post(struct http_call *hc);
enum err handset_hangup_post(struct http_call *hc);
enum err handset_detach_post(struct http_call *hc);
enum err handset_reject_post(struct http_call *hc);
enum err handset_say_post(struct http_call *hc);
enum err handset_record_post(struct http_call *hc);
enum err handset_set_post(struct http_call *hc);
enum err handset_clear_post(struct http_call *hc);
enum err sim_handsets_get(struct http_call *hc);

/* operator_smsroutes.c */
enum err sms_routes_get(struct http_call *hc);
enum err sms_routes_post(struct http_call *hc);
enum err sms_routes_why_get(struct http_call *hc);
enum err sms_route_patch(struct http_call *hc);
enum err sms_route_delete(struct http_call *hc);

/* operator_smsguards.c */
enum err sms_guards_get(struct http_call *hc);
enum err sms_guards_post(struct http_call *hc);
enum err sms_guard_patch(struct http_call *hc);
enum err sms_guard_delete(struct http_call *hc);
enum err message_cancel_post(struct http_call *hc);

/* operator_plan.c */
enum err availability_get(struct http_call *hc);
enum err price_get(struct http_call *hc);
enum err plan_get(struct http_call *hc);

/* operator_money.c */
enum err usage_get(struct http_call *hc);
enum err invoice_get(struct http_call *hc);
enum err spend_cap_post(struct http_call *hc);
/** Members of an open object: the most it may spend in a month, and what it did in this one. */
void spend_cap_write(const struct http_call *hc, const struct subscription *s, struct jw *w);

/* operator_clock.c */
enum err clock_get(struct http_call *hc);
enum err clock_advance_post(struct http_call *hc);
enum err snapshots_get(struct http_call *hc);
enum err snapshots_post(struct http_call *hc);
enum err snapshot_delete(struct http_call *hc);
enum err snapshot_restore_post(struct http_call *hc);
enum err reset_post(struct http_call *hc);

/* operator_faults.c */
enum err faults_get(struct http_call *hc);
enum err faults_post(struct http_call *hc);
enum err faults_delete(struct http_call *hc);
enum err fault_delete(struct http_call *hc);

/* operator_registrations.c */
enum err registrations_get_all(struct http_call *hc);
enum err registrations_get_one(struct http_call *hc);
enum err registrations_post_decide(struct http_call *hc);
enum err number_registration_get(struct http_call *hc);

/* operator_sip.c */
enum err sip_domains_get(struct http_call *hc);
enum err sip_domain_verify_post(struct http_call *hc);
enum err sip_domain_unverify_post(struct http_call *hc);
