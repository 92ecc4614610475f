#include "main/app_priv.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/str.h"
#include "domain/accounts/accounts.h"
#include "domain/billing/usage.h"
#include "domain/calls/calls.h"
#include "domain/directrouting/sip_routing.h"
#include "domain/events/events.h"
#include "domain/explain/explain.h"
#include "domain/messages/esmes.h"
#include "domain/messages/mailbox.h"
#include "domain/messages/messages.h"
#include "domain/numbers/numbers.h"
#include "domain/numbers/quotas.h"
#include "domain/registrations/registrations.h"
#include "domain/requests.h"
#include "domain/retention.h"
#include "edge/api/api.h"
#include "edge/api/http_server.h"
#include "edge/api/keyring.h"
#include "edge/hooks/hooks.h"
#include "edge/media/media_edge.h"
#include "edge/sip/sip_edge.h"
#include "edge/smpp/esme_server.h"
#include "edge/smpp/smpp_edge.h"
#include "main/carriers.h"
#include "main/readiness.h"
#include "main/sim_ports.h"
#include "main/snapshots.h"
#include "net/jwt_signer.h"
#include "net/tls.h"
#include "net/tls_ca.h"
#include "sim/sim.h"
#include "store/meta.h"

#include <stdio.h>
#include <unistd.h>

enum { CONTROL_BOUND = 65536, STORE_BOUND = 65536, READERS = 2, PORT_TRIES = 200, CALLS_GRACE_MS = 1000 };


/* -- ports: a default one in use gives way to the next free one, a given one does not ------------------------------- */

typedef enum err try_port_fn(struct app *app, uint16_t port, struct problem *why);

static enum err with_port(struct app *app, const struct settings_endpoint *at, const char *what, try_port_fn *try,
                          struct problem *why)
{
    enum err err = try(app, at->port, why);
    if (err != ERR_CONFLICT || at->given || !at->port)
        return err;
    for (int next = at->port + 1; err == ERR_CONFLICT && next < at->port + PORT_TRIES && next < 65536; next++) {
        err = try(app, (uint16_t)next, why);
        if (!err)
            log_warn("server", "port %u is in use: %s listens on %d", at->port, what, next);
    }
    return err;
}

/* -- the domain ------------------------------------------------------------------------------------------------------ */

static enum err make_control(struct app *app, struct db_image *image, struct problem *why)
{
    struct control *c = &app->control;
    char path[DATADIR_PATH_SIZE];
    datadir_path(app->dir, "carterfone.db", path);
    struct db_conf db = { .path = app->dir->path[0] ? path : NULL, .readers = READERS, .bound = STORE_BOUND, .image = image };
    enum err err = retention_read(&app->retention, str_of(app->settings->retention), why);
    if (!err)
        err = db_open(&c->db, &db, why);
    if (!err)
        err = loop_new(&c->loop, "control", CONTROL_BOUND, app);
    if (!err)
        err = snapshots_adopt(app);
    return err ? err : agenda_new(&c->agenda, c->loop, c->clock);
}

static enum err open_control(struct app *app, struct problem *why)
{
    return make_control(app, NULL, why);
}

static enum err make_keys(struct app *app, struct problem *why)
{
    (void)why;
    enum err err = keyring_new(&app->keyring);
    return err ? err : authority_new(&app->authority, app->keyring, app->settings->domain);
}

/* Who must know the keys: the front door, and the ESMEs that bound with them. */
static void on_resource_changed(void *arg, const struct resource *r)
{
    struct app *app = arg;
    keyring_resource_changed(app->keyring, r);
    if (app->esmes)
        esme_server_prove_again(app->esmes, r->key);
}

static void on_resource_gone(void *arg, uint64_t resource)
{
    struct app *app = arg;
    keyring_resource_gone(app->keyring, resource);
    if (app->esmes)
        esme_server_prove_again(app->esmes, resource);
}

static enum err make_accounts(struct app *app, struct problem *why)
{
    enum err err;
    struct accounts_listener listener = { on_resource_changed, app, on_resource_gone };
    keyring_set_development(app->keyring, app->settings->simulator);
    err = keyring_set_operator(app->keyring, (struct str){ (const char *)app->dir->operator_key, OPERATOR_KEY_OCTETS });
    if (!err)
        err = requests_new(&app->requests, &app->control, app->retention.keep_us[RETAIN_EVENTS], 0);
    if (!err)
        err = accounts_new(&app->accounts, &app->control, listener);
    if (!err)
        err = accounts_load(app->accounts, why);
    return err || !app->settings->simulator ? err : accounts_make_default(app->accounts);
}

static enum err make_hooks(struct app *app, struct problem *why)
{
    char path[DATADIR_PATH_SIZE];
    datadir_path(app->dir, "callbacks.key", path);
    if (!app->signer && jwt_signer_new(&app->signer, app->dir->path[0] ? path : NULL))
        return problem_set(why, ERR_NOMEM, "", "Out of memory for the signer of callbacks.");
    struct hooks_conf conf = { .signer = app->signer, .allow_local = app->settings->simulator, .local_ca_pem = str_of(app->pems.ca) };
    return hooks_new(&app->hooks, &conf, why);
}

static enum err make_quotas(struct app *app, struct problem *why)
{
    struct quotas_conf conf;
    enum err err = quotas_read(&conf, str_of(app->settings->quotas), why);
    if (!err)
        err = quotas_new(&app->quotas, &app->control, &conf);
    if (!err && (err = quotas_load(app->quotas)))
        problem_set(why, err, "InternalError", "The quotas in the database cannot be read: %s.", err_words(err));
    if (!err)
        numbers_set_quotas(app->numbers, app->quotas);
    return err;
}

/* What hangs on a resource and ends with it. */
static enum err end_numbers(void *numbers, uint64_t resource, accounts_done_fn *done, void *arg)
{
    return numbers_release_all(numbers, resource, done, arg);
}

static enum err end_events(void *events, uint64_t resource, accounts_done_fn *done, void *arg)
{
    return events_end_resource(events, resource, done, arg);
}

static enum err make_domain(struct app *app, struct problem *why)
{
    struct control *c = &app->control;
    struct numbers_conf numbers = {
        .edition = settings_edition_word(app->settings),
        .seed = app->settings->seed,
        .simulator = app->settings->simulator,
    };
    enum err err = events_new(&app->events, c, hooks_courier_ops(), app->hooks);
    if (!err)
        err = events_load(app->events, why);
    if (!err)
        err = usage_new(&c->usage, c, app->accounts, numbers.edition);
    if (!err)
        err = usage_load(c->usage, why);
    if (!err)
        err = numbers_new(&app->numbers, c, app->accounts, &numbers, why);
    if (!err)
        err = numbers_load(app->numbers, why);
    if (!err)
        err = make_quotas(app, why);
    if (!err)
        err = messages_new(&app->messages, c, app->accounts, app->numbers, app->events);
    if (!err)
        err = messages_load(app->messages, why);
    if (!err)
        err = sip_routing_new(&app->routing, c);
    if (!err)
        err = sip_routing_load(app->routing, why);
    if (!err)
        err = registrations_new(&app->registrations, c, app->numbers);
    if (!err)
        err = registrations_load(app->registrations, why);
    if (err)
        return err;
    numbers_set_registrations(app->numbers, registrations_of_number, app->registrations);
    accounts_add_ender(app->accounts, (struct accounts_ender){ "numbers", end_numbers, app->numbers });
    accounts_add_ender(app->accounts, (struct accounts_ender){ "event subscriptions", end_events, app->events });
    accounts_add_ender(app->accounts, (struct accounts_ender){ "registrations", registrations_end, app->registrations });
    accounts_add_ender(app->accounts, (struct accounts_ender){ "direct routing", sip_routing_end, app->routing });
    accounts_add_ender(app->accounts, (struct accounts_ender){ "mailbox of its ESMEs", mailbox_end, messages_mailbox(app->messages) });
    struct calls_conf calls = { .control = c, .accounts = app->accounts, .numbers = app->numbers, .events = app->events,
                                .courier = hooks_courier_ops(), .courier_arg = app->hooks };
    err = calls_new(&app->calls, &calls, why);
    struct explain_conf explain = { .control = c, .accounts = app->accounts, .calls = app->calls, .events = app->events,
                                    .requests = app->requests, .messages = app->messages };
    events_keep(app->events, app->retention.keep_us[RETAIN_EVENTS]);
    if (!err)
        err = mailbox_keep(messages_mailbox(app->messages), app->retention.keep_us[RETAIN_EVENTS]);
    if (!err)
        err = explain_new(&app->explain, &explain);
    return err ? err : retention_start(&app->purges, c, &app->retention);
}

/* -- the edges ------------------------------------------------------------------------------------------------------- */

static enum err try_sip(struct app *app, uint16_t port, struct problem *why)
{
    const struct settings *s = app->settings;
    struct sip_edge_conf conf = { .host = s->sip.host, .port = port,
                                  .advertise = s->advertise_sip[0] ? s->advertise_sip : NULL,
                                  .tell = calls_tell_signalling };
    return sip_edge_new(&app->sip, app->calls, app->control.ids, &conf, why);
}

static enum err try_smpp(struct app *app, uint16_t port, struct problem *why)
{
    struct esme_server_conf conf = { .control = &app->control, .accounts = app->accounts, .messages = app->messages,
                                     .requests = app->requests, .host = app->settings->smpp.host, .port = port,
                                     .tls = app->smpps_tls };
    enum err err = esme_limits_read(&conf.limits, str_of(app->settings->smpp_limits), why);
    return err ? err : esme_server_new(&app->esmes, &conf, why);
}

/* Once: at an exchange it is the same again, and the main thread may be telling it. */
static void keep_port(struct settings_endpoint *at, uint16_t port)
{
    if (!at->port)
        *at = (struct settings_endpoint){ .port = port, .given = true };
}

static enum err listen_smpps(struct app *app, struct problem *why)
{
    const struct settings_endpoint *at = &app->settings->smpps;
    if (!at->host[0])
        return ERR_NONE;
    enum err err = esme_server_listen_tls(app->esmes, at->host, app->smpps_at.port ? app->smpps_at.port : at->port, why);
    if (!err)
        keep_port(&app->smpps_at, esme_server_tls_port(app->esmes));
    return err;
}

static enum err make_edges(struct app *app, struct problem *why)
{
    const struct settings *s = app->settings;
    struct media_edge_conf media = { .host = s->sip.host, .advertise = s->advertise_rtp[0] ? s->advertise_rtp : NULL,
                                     .port_min = s->rtp_ports.min, .port_max = s->rtp_ports.max,
                                     .tell = calls_tell_media, .calls = app->calls };
    enum err err = with_port(app, app->sip_at.port ? &app->sip_at : &s->sip, "SIP", try_sip, why);
    if (!err)
        keep_port(&app->sip_at, sip_edge_port(app->sip));
    if (!err)
        err = media_edge_new(&app->media, &media, why);
    if (!err)
        err = smpp_edge_new(&app->smpp, app->messages);
    if (!err)
        err = with_port(app, app->smpp_at.port ? &app->smpp_at : &s->smpp, "SMPP", try_smpp, why);
    if (!err)
        keep_port(&app->smpp_at, esme_server_port(app->esmes));
    if (!err)
        err = listen_smpps(app, why);
    if (err)
        return err;
    calls_set_signalling(app->calls, sip_edge_ops(), app->sip);
    calls_set_media(app->calls, media_edge_ops(), app->media);
    return calls_load(app->calls, why);
}

static enum err make_sim(struct app *app, struct problem *why)
{
    const struct settings *s = app->settings;
    struct sim_conf conf = { .inbound_host = s->sip.host, .inbound_port = sip_edge_port(app->sip),
                             .accepted_log = s->accepted_log[0] ? s->accepted_log : NULL, .seed = s->seed };
    char folder[DATADIR_PATH_SIZE];
    if (app->dir->path[0]) {
        datadir_path(app->dir, "handsets", folder);
        conf.folder = folder;
    }
    return sim_new_on_ports(&app->sim, s, &conf, why);
}

/* The wall opens to the world: what was allowed while everything was simulated ends now. */
static void on_real_carrier(void *arg, const char *name)
{
    struct app *app = arg;
    if (!app->api.real_carrier[0])
        snprintf(app->api.real_carrier, sizeof app->api.real_carrier, "%s", name);
    keyring_set_development(app->keyring, false);
    hooks_set_allow_local(app->hooks, false);
    if (app->settings->faults == SETTINGS_FAULTS_AUTO) {
        app->api.faults = false;
        if (fault_clear(0))
            log_warn("server", "faults were armed, and are cleared: %s is a real carrier", name);
    }
    log_warn("server", "%s is a real carrier: the development key and loopback targets have ended", name);
}

static enum err make_carriers(struct app *app, struct problem *why)
{
    struct carriers_conf conf = { .control = &app->control, .smpp = app->smpp, .sip = app->sip,
                                  .messages = app->messages, .numbers = app->numbers, .calls = app->calls,
                                  .real_carrier = on_real_carrier, .arg = app };
    enum err err = carriers_new(&app->carriers, &conf);
    if (!err)
        numbers_set_carriers(app->numbers, carriers_known, app->carriers);
    if (!err && app->settings->simulator && !app->sim)
        err = make_sim(app, why);
    if (!err && app->sim)
        err = carriers_start_sim(app->carriers, app->settings->sim_smpp.host, sim_smpp_port(app->sim),
                                 app->settings->sim_sip.host, sim_sip_port(app->sim), why);
    return err ? err : carriers_load(app->carriers, why);
}

/* -- the front door -------------------------------------------------------------------------------------------------- */

static enum err sim_adapter(void *sim, struct str verb, struct str args,
                            void (*done)(void *arg, enum err err, struct str answer, const struct problem *why), void *arg)
{
    return sim_command(sim, verb, args, done, arg);
}

static bool is_ready(void *arg, struct buf *words)
{
    const struct app *app = arg;
    return readiness_ask(app->readiness, words);
}

static enum err try_http(struct app *app, uint16_t port, struct problem *why)
{
    const struct settings *s = app->settings;
    struct http_listen listens[SETTINGS_LISTEN_MAX];
    for (size_t i = 0; i < s->listen_n; i++)
        listens[i] = (struct http_listen){ s->listen[i].at.host, i ? s->listen[i].at.port : port,
                                           s->listen[i].resource[0] ? s->listen[i].resource : NULL };
    struct http_server_conf conf = { .listens = listens, .n_listens = s->listen_n, .api = &app->api,
                                     .cert_pem = str_of(app->pems.cert), .key_pem = str_of(app->pems.key),
                                     .ca_pem = str_of(app->pems.ca), .name_certs = authority_names(app->authority),
                                     .ready = is_ready, .ready_arg = app };
    if (!app->pems.ca_key)
        conf.name_certs = (struct http_name_certs){ 0 };
    return http_server_new(&app->http, &conf, why);
}

/* Member by member, and `control` not at all: the threads of HTTP read that one all the while, a restore's too. */
static enum err fill_api(struct app *app, struct problem *why)
{
    (void)why;
    const struct settings *s = app->settings;
    struct app_api *api = &app->api;
    api->accounts = app->accounts;
    api->numbers = app->numbers;
    api->messages = app->messages;
    api->calls = app->calls;
    api->events = app->events;
    api->keyring = app->keyring;
    api->signer = app->signer;
    api->domain = s->domain;
    api->smpp.host = s->smpp.host;
    api->smpp.port = app->smpp_at.port;
    api->carrier_add = carriers_add;
    api->carrier_change = carriers_change;
    api->carrier_remove = carriers_remove;
    api->carrier_test = carriers_test;
    api->carriers_write = carriers_write;
    api->carriers = app->carriers;
    api->sip_routing = app->routing;
    api->registrations = app->registrations;
    api->requests = app->requests;
    api->explain = app->explain;
    api->faults = s->faults == SETTINGS_FAULTS_ON || (s->faults == SETTINGS_FAULTS_AUTO && !api->real_carrier[0]);
    api->snapshots = app->snapshots;
    api->snapshots_do = snapshots_do;
    api->clock_moves = s->clock == SETTINGS_CLOCK_VIRTUAL;
    api->sim = app->sim;
    api->sim_command = app->sim ? sim_adapter : NULL;
    return readiness_new(&app->readiness, &app->control);
}

static enum err make_api(struct app *app, struct problem *why)
{
    enum err err = snapshots_new(&app->snapshots, app);
    app->api.control = &app->control;
    if (!err)
        err = fill_api(app, why);
    return err ? err : with_port(app, &app->settings->listen[0].at, "the API", try_http, why);
}

/* Where a client finds the authority to trust: an absolute path, whatever folder the server was started in. */
static enum err note_ca_file(struct app *app, struct problem *why)
{
    char path[DATADIR_PATH_SIZE];
    enum err err = ERR_NONE;
    if (app->dir->path[0]) {
        datadir_path(app->dir, "tls/ca.pem", path);
    } else if (app->settings->ready_file[0]) {
        snprintf(path, sizeof path, "%s.ca.pem", app->settings->ready_file);
        err = file_write_whole(path, str_of(app->pems.ca), 0644, why);
    } else {
        return ERR_NONE;
    }
    char *absolute = err ? NULL : realpath(path, NULL);
    str_copyz(app->ca_file, sizeof app->ca_file, str_of(absolute));
    free(absolute);
    return err;
}

static enum err find_certificate(struct app *app, struct problem *why)
{
    const struct settings *s = app->settings;
    char dir[DATADIR_PATH_SIZE];
    datadir_path(app->dir, "tls", dir);
    if (s->tls_cert[0])
        return tls_pems_load(s->tls_cert, s->tls_key, &app->pems, why);
    char any[SETTINGS_HOST_SIZE + 2];
    snprintf(any, sizeof any, "*.%s", s->domain);
    const char *const names[] = { s->domain, any };
    size_t n = strcmp(s->domain, "localhost") ? ARRAY_LEN(names) : 0;   /* those are there anyway */
    enum err err = tls_ca_ensure(app->dir->path[0] ? dir : NULL, names, n, &app->pems, why);
    if (!err)
        err = authority_set(app->authority, &app->pems);
    return err ? err : note_ca_file(app, why);
}

static enum err make_certificate(struct app *app, struct problem *why)
{
    enum err err = find_certificate(app, why);
    if (err || !app->settings->smpps.host[0])
        return err;
    return tls_context_server(&app->smpps_tls, app->pems.cert, app->pems.key, why);
}

enum err app_new(struct app **out, const struct settings *s, const struct datadir *dir, struct problem *why)
{
    struct app *app = calloc(1, sizeof *app);
    if (!app)
        return ERR_NOMEM;
    app->settings = s;
    app->dir = dir;
    fault_seed(s->seed);
    static enum err (*const steps[])(struct app *app, struct problem *why) = {
        open_control, make_keys, make_certificate, make_accounts, make_hooks, make_domain, make_edges, make_carriers, make_api,
    };
    enum err err = ERR_NONE;
    for (size_t i = 0; !err && i < ARRAY_LEN(steps); i++)
        err = steps[i](app, why);
    if (err) {
        app_free(app);
        return err;
    }
    *out = app;
    return ERR_NONE;
}

static void note_default_key(struct app *app)
{
    const struct resource *r = accounts_resource_named(app->accounts, STR("default"));
    if (r)
        base64_write(app->default_key, r->access_key[0], ACCESS_KEY_OCTETS);
}

/* What a restore starts again, but for the networks and the front door. */
static enum err start_parts(struct app *app, struct problem *why)
{
    (void)why;
    events_set_base_url(app->events, STR("https://localhost"));
    enum err err = hooks_start(app->hooks);
    if (!err)
        err = snapshots_adopt_networks(app);
    if (!err)
        err = media_edge_start(app->media);
    if (!err)
        err = sip_edge_start(app->sip);
    if (!err)
        err = smpp_edge_start(app->smpp);
    if (!err)
        err = esme_server_start(app->esmes);
    if (err)
        return err;
    char url[64];
    snprintf(url, sizeof url, "https://localhost:%u", http_server_port(app->http, 0));
    events_set_base_url(app->events, str_of(url));
    jwt_signer_set_issuer(app->signer, str_of(url));
    messages_resume(app->messages);
    readiness_start(app->readiness);
    accounts_resume(app->accounts);
    events_resume(app->events);         /* control is not running yet: this thread stands in for it */
    return loop_start(app->control.loop);
}

enum err app_start(struct app *app, struct problem *why)
{
    note_default_key(app);
    app->started = true;
    enum err err = app->sim ? sim_start(app->sim, why) : ERR_NONE;
    if (!err)
        err = snapshots_keep_first(app);
    if (!err)
        err = start_parts(app, why);
    return err ? err : http_server_start(app->http, why);
}

void app_reload(struct app *app)
{
    struct problem why = { 0 };
    if (!app->settings->tls_cert[0] && !app->dir->path[0]) {
        log_info("server", "SIGHUP: certificates are kept in memory, nothing to read again");
        return;
    }
    struct tls_pems old = app->pems;
    app->pems = (struct tls_pems){ 0 };
    enum err err = find_certificate(app, &why);
    if (!err)
        err = http_server_reload(app->http, str_of(app->pems.cert), str_of(app->pems.key));
    if (!err && app->smpps_tls)
        err = tls_context_renew(app->smpps_tls, app->pems.cert, app->pems.key, &why);
    if (err) {
        log_error("server", "SIGHUP: the certificate stays as it is: %s", why.text[0] ? why.text : err_words(err));
        tls_pems_done(&app->pems);
        app->pems = old;
        return;
    }
    tls_pems_done(&old);
    log_info("server", "SIGHUP: certificates read again; other settings need a restart");
}

/* Until nothing is under way between control and the store: each no-op commit says that all before it were decided. */
static void settle(struct app *app)
{
    for (int i = 0; i < 4; i++) {
        struct db_unit *u = db_unit_new();
        meta_row_put_int(u, STR("stopped_cleanly"), 1);
        if (db_run(app->control.db, u))
            return;
        for (int ms = 0; ms < 1000 && inbox_depth(control_inbox(&app->control)); ms++)
            usleep(1000);
    }
}

static void stop_parts(struct app *app)
{
    sip_edge_stop(app->sip, CALLS_GRACE_MS);
    media_edge_stop(app->media);
    esme_server_stop(app->esmes);
    smpp_edge_stop(app->smpp);
    hooks_stop(app->hooks);
    settle(app);
    loop_stop(app->control.loop);
}

void app_stop(struct app *app)
{
    if (!app->started)
        return;
    app->started = false;
    snapshots_stop(app->snapshots);     /* what it has under way comes to its end */
    if (app->broken) {
        http_server_stop(app->http);
        return;
    }
    events_let_go(app->events);
    http_server_stop(app->http);
    stop_parts(app);
}

/* Member by member: the threads of HTTP read ids and the clock all the while, a restore's too. */
static void forget_control(struct control *c)
{
    c->loop = NULL;
    c->db = NULL;
    c->agenda = NULL;
    c->usage = NULL;
    c->request = 0;
}

/* Everything between the front door and the disk, but for the networks, the keys, the clock and the ids. */
static void free_parts(struct app *app)
{
    sip_edge_free(app->sip);
    media_edge_free(app->media);
    smpp_edge_free(app->smpp);
    esme_server_free(app->esmes);
    app->esmes = NULL;
    carriers_free(app->carriers);
    calls_free(app->calls);
    sip_routing_free(app->routing);
    registrations_free(app->registrations);
    messages_free(app->messages);
    numbers_free(app->numbers);
    quotas_free(app->quotas);
    usage_free(app->control.usage);
    events_free(app->events);
    hooks_free(app->hooks);
    accounts_free(app->accounts);
    retention_purges_free(app->purges);
    app->purges = NULL;
    explain_free(app->explain);
    requests_free(app->requests);
    db_close(app->control.db);
    readiness_free(app->readiness);
    agenda_free(app->control.agenda);
    loop_free(app->control.loop);
    app->sip = NULL;
    app->media = NULL;
    app->smpp = NULL;
    app->carriers = NULL;
    app->calls = NULL;
    app->routing = NULL;
    app->registrations = NULL;
    app->messages = NULL;
    app->numbers = NULL;
    app->quotas = NULL;
    app->events = NULL;
    app->hooks = NULL;
    app->accounts = NULL;
    app->explain = NULL;
    app->requests = NULL;
    app->readiness = NULL;
    forget_control(&app->control);
}

enum err app_ended(const struct app *app, struct problem *why)
{
    if (app->broken)
        return problem_set(why, ERR_STORE, "StoreFailed", "The server ended because a restore came to nothing.");
    if (app->control.db && db_is_broken(app->control.db))
        return problem_set(why, ERR_STORE, "StoreFailed", "The server ended because the disk failed to keep what it had taken of the database. "
                           "What was accepted is in the log beside it: look after the disk, then start the server again.");
    return ERR_NONE;
}

void app_free(struct app *app)
{
    if (!app)
        return;
    app_stop(app);
    sim_free(app->sim);                 /* first: what handset commands still wait for is answered to the http calls */
    http_server_free(app->http);
    free_parts(app);
    snapshots_free(app->snapshots);
    authority_free(app->authority);
    keyring_free(app->keyring);
    clock_free(app->control.clock);
    ids_free(app->control.ids);
    jwt_signer_free(app->signer);
    tls_context_free(app->smpps_tls);
    tls_pems_done(&app->pems);
    free(app);
}

enum err app_exchange(struct app *app, struct db_image *image, struct problem *why)
{
    static enum err (*const steps[])(struct app *app, struct problem *why) = {
        make_accounts, make_hooks, make_domain, make_edges, make_carriers, fill_api, start_parts,
    };
    stop_parts(app);
    free_parts(app);
    keyring_remove_all(app->keyring);
    app->api.real_carrier[0] = '\0';
    enum err err = make_control(app, image, why);
    for (size_t i = 0; !err && i < ARRAY_LEN(steps); i++)
        err = steps[i](app, why);
    app->broken = err != ERR_NONE;
    return err;
}

/* -- telling ---------------------------------------------------------------------------------------------------------- */

static void host_port(struct jw *w, const char *name, const char *host, uint16_t port)
{
    if (port)
        jw_printf(w, name, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, port);
    else
        jw_null(w, name);
}

static void connection_string(const struct app *app, char *dst, size_t size)
{
    snprintf(dst, size, "endpoint=https://localhost:%u/;accesskey=%s", http_server_port(app->http, 0), app->default_key);
}

void app_write_ready(const struct app *app, struct buf *out)
{
    const struct settings *s = app->settings;
    uint16_t port = http_server_port(app->http, 0);
    char connection[160];
    connection_string(app, connection, sizeof connection);
    struct jw w = jw_of(out);
    jw_object(&w, NULL);
    jw_int(&w, "pid", getpid());
    jw_printf(&w, "api", "https://127.0.0.1:%u", port);
    jw_textz(&w, "connectionString", connection);
    jw_textz(&w, "caFile", app->ca_file[0] ? app->ca_file : NULL);
    jw_null(&w, "console");
    host_port(&w, "sip", s->sip.host, app->sip_at.port);
    host_port(&w, "smpp", s->smpp.host, app->smpp_at.port);
    host_port(&w, "smpps", s->smpps.host, app->smpps_at.port);
    host_port(&w, "simSip", s->sim_sip.host, app->sim ? sim_sip_port(app->sim) : 0);
    host_port(&w, "simSmpp", s->sim_smpp.host, app->sim ? sim_smpp_port(app->sim) : 0);
    jw_end(&w);
    buf_putc(out, '\n');
}

void app_greet(const struct app *app)
{
    char connection[160];
    const char *data = app->settings->data;
    bool elsewhere = strcmp(data, "carterfone-data") != 0 && strcmp(data, "./carterfone-data") != 0;
    uint16_t port = http_server_port(app->http, 0);
    connection_string(app, connection, sizeof connection);
    printf("\nCarterfone is ready: https://localhost:%u\n", port);
    if (isatty(STDOUT_FILENO))          /* a key is for the person who looks, not for the journal that keeps what we print */
        printf("  connection string  %s\n", connection);
    else
        printf("  connection string  carterfone connection-string%s%s prints it\n", elsewhere ? " --data " : "", elsewhere ? data : "");
    if (app->ca_file[0])
        printf("  trust it           export NODE_EXTRA_CA_CERTS=%s\n", app->ca_file);
    if (app->sim)
        printf("  simulated network  SMPP %s:%u, SIP %s:%u\n", app->settings->sim_smpp.host, sim_smpp_port(app->sim),
               app->settings->sim_sip.host, sim_sip_port(app->sim));
    if (app->smpp_at.port)
        printf("  SMPP for ESMEs     %s:%u (system_id, password: carterfone resource keys NAME)\n", app->settings->smpp.host, app->smpp_at.port);
    printf("\nTry, in another terminal:\n"
           "  build/carterfone numbers search --type toll-free --for application --sms inbound+outbound%s%s\n"
           "  build/carterfone --help\n\n", elsewhere ? " --data " : "", elsewhere ? data : "");
    fflush(stdout);
}
