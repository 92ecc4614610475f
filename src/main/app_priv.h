/* app_priv.h - what app.c and snapshots.c share. Thread: the process's first, or a restore's while requests are held. */
#pragma once
#include "base/str.h"
#include "domain/accounts/accounts.h"
#include "edge/api/api.h"
#include "main/app.h"
#include "main/authority.h"
#include "domain/retention.h"
#include "net/tls_ca.h"

struct app {
    const struct settings *settings;
    const struct datadir  *dir;
    struct control         control;
    struct app_api         api;
    struct accounts       *accounts;
    struct retention       retention;
    struct retention_purges *purges;
    struct jwt_signer     *signer;
    struct requests       *requests;
    struct explain        *explain;
    struct keyring        *keyring;
    struct events         *events;
    struct numbers        *numbers;
    struct quotas         *quotas;
    struct messages       *messages;
    struct calls          *calls;
    struct sip_routing    *routing;
    struct registrations  *registrations;
    struct hooks          *hooks;
    struct sim            *sim;
    struct sip_edge       *sip;
    struct media_edge     *media;
    struct smpp_edge      *smpp;
    struct esme_server    *esmes;
    struct carriers       *carriers;
    struct http_server    *http;
    struct readiness      *readiness;
    struct tls_pems        pems;
    struct authority      *authority;
    char                   default_key[BASE64_SIZE(ACCESS_KEY_OCTETS)];     /* as it was at start: accounts are control's then */
    char                   ca_file[DATADIR_PATH_SIZE];
    struct settings_endpoint sip_at;    /* as first listened to: a restore takes the same */
    struct settings_endpoint smpp_at, smpps_at;
    struct tls_context    *smpps_tls;       /* of --smpps; NULL: none */
    struct snapshots      *snapshots;
    bool                   started;
    bool                   broken;          /* a restore failed half-way: there are no parts to stop */
};

/** With requests held: end everything behind the front door but the simulated networks, take the copy in, and start all of it
 *  again as at a start. @return an error with `why`: nothing is there to serve, and the server should end */
MUST_USE enum err app_exchange(struct app *app, struct db_image *image, struct problem *why);
