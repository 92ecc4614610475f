/* call_events.c - callbacks: the data of each CloudEvent (sdk-wire shapes; docs/calls.md). */
#include "base/str.h"
#include "domain/calls/calls_priv.h"

#include <stdio.h>

static const char EVENTS_VERSION[] = "2024-09-15";

static void write_unknown(struct jw *w, const char *name)
{
    jw_object(w, name);
    jw_textz(w, "rawId", "4:anonymous");
    jw_textz(w, "kind", "unknown");
    jw_end(w);
}

void call_write_phone(struct jw *w, const char *name, struct str e164)
{
    if (!e164.n || e164.p[0] == 'a') {      /* the caller hides its number */
        write_unknown(w, name);
        return;
    }
    jw_object(w, name);
    jw_printf(w, "rawId", "4:" STR_FMT, STR_ARG(e164));
    jw_textz(w, "kind", "phoneNumber");
    jw_object(w, "phoneNumber");
    jw_text(w, "value", e164);
    jw_end(w);
    jw_end(w);
}

static void write_details(struct jw *w, const char *name, int code, const char *words)
{
    if (!code)
        return;
    jw_object(w, name);
    jw_int(w, "code", code);
    jw_textz(w, "message", words);
    jw_end(w);
}

static void write_result(struct jw *w, const struct call_end *end)
{
    jw_object(w, "resultInformation");
    jw_int(w, "code", end->code);
    jw_int(w, "subCode", end->subcode);
    jw_textz(w, "message", end->words);
    write_details(w, "sipDetails", end->sip, end->sip_words);
    write_details(w, "q850Details", end->q850, "");
    jw_end(w);
}

static void write_data(struct buf *b, struct call *call, const struct call_notice *n, const char *type)
{
    struct call_view v;
    call_view_fill(call, &v);
    struct jw w = jw_of(b);
    jw_object(&w, NULL);
    jw_textz(&w, "version", EVENTS_VERSION);
    if (n->context.n)
        jw_text(&w, "operationContext", n->context);
    if (n->end)
        write_result(&w, n->end);
    if (n->more)
        n->more(&w, call, n->arg);
    jw_textz(&w, "callConnectionId", v.id);
    jw_textz(&w, "serverCallId", v.server_call_id);
    jw_textz(&w, "correlationId", v.correlation_id);
    jw_textz(&w, "publicEventType", type);
    jw_end(&w);
}

void call_notify(struct call_step *s, struct call *call, const struct call_notice *n)
{
    char type[96], source[96], id[GUID_SIZE];
    struct str url = n->url.n ? n->url : call->callback_uri;
    snprintf(type, sizeof type, "Microsoft.Communication.%s", n->type);
    call_trail(s, call, "event %s%s", n->type, url.n ? "" : " (nobody asked for callbacks)");
    if (!url.n)
        return;
    ids_guid(s->calls->control->ids, ID_CALL, call->key, id);
    snprintf(source, sizeof source, "calling/callConnections/%s", id);
    scoped_buf data = { 0 };
    write_data(&data, call, n, type);
    struct callback_new cb = { .resource = call->resource, .call = call->key, .url = url, .type = str_of(type),
                               .subject = str_of(source), .source = str_of(source), .data = buf_str(&data) };
    enum err err = buf_err(&data);
    if (!err)
        err = events_write_callback(s->calls->conf.events, s->unit, &cb, &s->events);
    if (err)
        log_error("calls", "callback %s not written: %s", n->type, err_words(err));
}

static void write_participants(struct jw *w, struct call *call, const void *arg)
{
    (void)arg;
    jw_array(w, "participants");
    if (call_progress_of(call) == CALL_CONNECTED) {
        jw_object(w, NULL);
        call_write_phone(w, "identifier", call->outbound ? call->to : call->from);
        jw_bool(w, "isMuted", false);
        jw_bool(w, "isOnHold", false);
        jw_end(w);
    }
    jw_end(w);
    jw_int(w, "sequenceNumber", call->updates);
}

void call_notify_participants(struct call_step *s, struct call *call)
{
    static const struct call_end fine = { .code = 200 };
    call->updates++;
    call_notify(s, call, &(struct call_notice){ .type = "ParticipantsUpdated", .end = &fine, .more = write_participants });
}
