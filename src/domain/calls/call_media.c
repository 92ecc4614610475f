/* call_media.c - what is played, heard and pressed in a call: one queue of operations, the first of which runs. */
#include "base/str.h"
#include "domain/calls/call_player.h"
#include "domain/calls/calls_priv.h"
#include "domain/calls/recognise.h"
#include "domain/rules.h"

enum { OPS_MOST = 32 };       /* MediaQueueFull says so too */

enum op_kind { OP_PLAY, OP_RECOGNISE, OP_SEND, N_OP_KINDS };

struct call_op {
    struct call_op  *next;
    struct call     *call;
    struct arena    *arena;
    enum op_kind     kind;
    bool             started;
    struct str       context, callback_uri;
    struct str      *uris;          /* PLAY, RECOGNISE */
    struct player    player;
    struct recognise recognise;
    struct recognise_conf recognise_conf;
    struct str       tones;         /* SEND */
    uint64_t         media_op;      /* SEND: what media does for it */
};

struct call_watch {
    struct arena *arena;
    struct str    context, callback_uri;
    int64_t       sequence;
};

/* -- telling ------------------------------------------------------------------------------------------------------ */
struct failure { int64_t source; };     /* failedPlaySourceIndex */

static void write_failure(struct jw *w, struct call *call, const void *arg)
{
    (void)call;
    jw_int(w, "failedPlaySourceIndex", ((const struct failure *)arg)->source);
}

static void write_tones(struct jw *w, struct call *call, const void *arg)
{
    const struct recognise *r = arg;
    (void)call;
    jw_textz(w, "recognitionType", "dtmf");
    jw_object(w, "dtmfResult");
    jw_array(w, "tones");
    for (unsigned i = 0; i < r->n; i++)
        jw_textz(w, NULL, call_tone_word(r->tones[i]));
    jw_end(w);
    jw_end(w);
}

/* In the step under way when several operations end together, else in one of its own. */
static void notify(struct call *call, const struct call_notice *n)
{
    struct call_step *s = call->step ? call->step : call_step_begin(call->calls, call->key);
    call_notify(s, call, n);
    if (!call->step)
        call_step_post(s);
}

static void op_notify(struct call_op *op, const char *type, int code, int subcode, const char *words,
                      void (*more)(struct jw *, struct call *, const void *), const void *arg)
{
    struct call_end end = { .code = code, .subcode = subcode };
    str_copyz(end.words, sizeof end.words, str_of(words));
    notify(op->call, &(struct call_notice){ .type = type, .end = &end, .context = op->context, .url = op->callback_uri,
                                            .more = more, .arg = arg });
}

/* -- the queue ---------------------------------------------------------------------------------------------------- */
static void op_start(struct call_op *op);

static void op_free(struct call_op *op)
{
    arena_free(op->arena);
    free(op);
}

static void op_unlink(struct call_op *op)
{
    struct call *call = op->call;
    struct call_op *before = NULL;
    for (struct call_op *at = call->op_first; at != op; at = at->next)
        before = at;
    if (before)
        before->next = op->next;
    else
        call->op_first = op->next;
    if (call->op_last == op)
        call->op_last = before;
    call->ops--;
}

/* Its outcome has been told: the next one's turn, unless all of them are ending. */
static void op_end(struct call_op *op)
{
    struct call *call = op->call;
    call_time_stop(call->calls, &call->op_timer);
    op_unlink(op);
    op_free(op);
    if (call->op_first && !call->op_first->started && !call->step)
        op_start(call->op_first);
}

static void op_push(struct call_op *op)
{
    struct call *call = op->call;
    if (call->op_last)
        call->op_last->next = op;
    else
        call->op_first = op;
    call->op_last = op;
    call->ops++;
    if (call->op_first == op)
        op_start(op);
}

/* -- play --------------------------------------------------------------------------------------------------------- */
static void play_started(void *arg)
{
    op_notify(arg, "PlayStarted", 200, 0, "Action started.", NULL, NULL);
}

static void play_over(void *arg, enum player_outcome outcome)
{
    struct call_op *op = arg;
    struct failure at = { (int64_t)op->player.at };
    switch (outcome) {
    case PLAYER_DONE:
        op_notify(op, "PlayCompleted", 200, 0, "Action completed successfully.", NULL, NULL);
        break;
    case PLAYER_STOPPED:
        op_notify(op, "PlayCanceled", 400, 8508, "Action failed, the operation was cancelled.", NULL, NULL);
        break;
    case PLAYER_UNREACHABLE:
        op_notify(op, "PlayFailed", 400, 8536, "Action failed, file could not be downloaded.", write_failure, &at);
        break;
    case PLAYER_UNPLAYABLE:
        if (op->player.err == ERR_SYNTAX)
            op_notify(op, "PlayFailed", 400, 8535, "Action failed, file format is invalid.", write_failure, &at);
        else
            op_notify(op, "PlayFailed", 500, 9999, "Action failed, the audio could not be sent.", write_failure, &at);
        break;
    }
    op_end(op);
}

/* -- recognise ---------------------------------------------------------------------------------------------------- */
static void recognise_stop_prompt(void *arg)
{
    player_stop(&((struct call_op *)arg)->player);
}

static void recognise_wait(void *arg, int64_t us)
{
    struct call *call = ((struct call_op *)arg)->call;
    call_time_start(call->calls, &call->op_timer, us);
}

static void recognise_over(void *arg, enum recognise_outcome outcome)
{
    struct call_op *op = arg;
    const struct recognise *r = &op->recognise;
    struct failure at = { (int64_t)op->player.at };
    switch (outcome) {
    case RECOGNISED_MOST:
        op_notify(op, "RecognizeCompleted", 200, 8531, "Action completed, max digits received.", write_tones, r);
        break;
    case RECOGNISED_STOP:
        op_notify(op, "RecognizeCompleted", 200, 8514, "Action completed as stop tone was detected.", write_tones, r);
        break;
    case RECOGNISED_GAP:
        op_notify(op, "RecognizeCompleted", 400, 8532, "Action ended, inter-digit silence time-out reached.",
                  write_tones, r);
        break;
    case UNRECOGNISED_SILENCE:
        op_notify(op, "RecognizeFailed", 400, 8510, "Action failed, initial silence time-out reached.", NULL, NULL);
        break;
    case UNRECOGNISED_PROMPT:
        op_notify(op, "RecognizeFailed", 500, 8511, "Action failed, encountered failure while trying to play the prompt.",
                  write_failure, &at);
        break;
    case UNRECOGNISED_CANCELLED:
        op_notify(op, "RecognizeCanceled", 400, 8508, "Action failed, the operation was cancelled.", NULL, NULL);
        break;
    }
    op_end(op);
}

static const struct recognise_ops recognise_ops = { recognise_stop_prompt, recognise_wait, recognise_over };

static void prompt_over(void *arg, enum player_outcome outcome)
{
    struct call_op *op = arg;
    if (outcome == PLAYER_DONE)
        recognise_prompted(&op->recognise);
    else if (outcome != PLAYER_STOPPED)     /* stopped: recognise itself asked for it */
        recognise_unprompted(&op->recognise);
}

static void on_op_timer(void *arg)
{
    struct call_op *op = ((struct call *)arg)->op_first;
    if (op && op->kind == OP_RECOGNISE)
        recognise_time(&op->recognise);
}

/* -- send --------------------------------------------------------------------------------------------------------- */
static void send_start(struct call_op *op)
{
    struct calls *c = op->call->calls;
    op->media_op = ids_next(c->control->ids);
    enum err err = c->media->send_dtmf(c->media_arg, op->call->leg, op->media_op, op->tones);
    struct media_news news = { .kind = MEDIA_SENT, .leg = op->call->leg, .op = op->media_op, .err = err };
    if (err && calls_tell_media(c, &news))
        log_error("calls", "no memory to end a tone");
}

static void send_over(struct call_op *op, enum err err)
{
    if (!err)
        op_notify(op, "SendDtmfTonesCompleted", 200, 0, "Action completed successfully.", NULL, NULL);
    else if (err == ERR_CLOSED)
        op_notify(op, "SendDtmfTonesFailed", 400, 8508, "Action failed, the operation was cancelled.", NULL, NULL);
    else
        op_notify(op, "SendDtmfTonesFailed", 500, 9999, "Action failed, the tones could not be sent.", NULL, NULL);
    op_end(op);
}

static void send_cancel(struct call_op *op)
{
    struct calls *c = op->call->calls;
    if (op->started && c->media->stop(c->media_arg, op->call->leg, op->media_op))
        log_warn("calls", "the media loop has no room to stop tones");
    send_over(op, ERR_CLOSED);
}

/* -- any operation ------------------------------------------------------------------------------------------------ */
static void play_start(struct call_op *op)
{
    player_go(&op->player);
}

static void recognise_start(struct call_op *op)
{
    recognise_init(&op->recognise, &op->recognise_conf, &recognise_ops, op);
    if (op->recognise_conf.prompted)
        player_go(&op->player);
}

static void play_cancel(struct call_op *op)
{
    player_stop(&op->player);       /* also when it waits: PLAYER_STOPPED */
}

static void recognise_cancel_op(struct call_op *op)
{
    if (!op->started)
        recognise_over(op, UNRECOGNISED_CANCELLED);
    else
        recognise_cancel(&op->recognise);
}

static const struct {
    void (*start)(struct call_op *op);
    void (*cancel)(struct call_op *op);     /* tells and ends it */
} kinds[N_OP_KINDS] = {
    [OP_PLAY]      = { play_start, play_cancel },
    [OP_RECOGNISE] = { recognise_start, recognise_cancel_op },
    [OP_SEND]      = { send_start, send_cancel },
};

static void op_start(struct call_op *op)
{
    op->started = true;
    kinds[op->kind].start(op);
}

static void cancel_all(struct call_step *s, struct call *call)
{
    call->step = s;
    while (call->op_first)
        kinds[call->op_first->kind].cancel(call->op_first);
    call->step = NULL;
}

static void cancel_all_in_a_step(struct call *call, const char *why)
{
    if (!call->op_first)
        return;
    struct call_step *s = call_step_begin(call->calls, call->key);
    call_trail(s, call, "%s", why);
    cancel_all(s, call);
    call_step_post(s);
}

/* -- tones -------------------------------------------------------------------------------------------------------- */
static const struct { char tone; const char *word; } tones[] = {
    { '0', "zero" }, { '1', "one" }, { '2', "two" },   { '3', "three" }, { '4', "four" }, { '5', "five" },
    { '6', "six" },  { '7', "seven" }, { '8', "eight" }, { '9', "nine" }, { 'A', "a" },   { 'B', "b" },
    { 'C', "c" },    { 'D', "d" },   { '#', "pound" }, { '*', "asterisk" },
};

const char *call_tone_word(char tone)
{
    for (size_t i = 0; i < ARRAY_LEN(tones); i++)
        if (tones[i].tone == tone)
            return tones[i].word;
    return NULL;
}

char call_tone_of(struct str word)
{
    for (size_t i = 0; i < ARRAY_LEN(tones); i++)
        if (str_eqz(word, tones[i].word))
            return tones[i].tone;
    return 0;
}

struct heard { int64_t sequence; char tone; };

static void write_heard(struct jw *w, struct call *call, const void *arg)
{
    const struct heard *h = arg;
    (void)call;
    jw_int(w, "sequenceId", h->sequence);
    jw_textz(w, "tone", call_tone_word(h->tone));
}

static void hear(struct call *call, char tone)
{
    static const struct call_end fine = { .code = 200 };
    struct call_op *op = call->op_first;
    if (!call_tone_word(tone))
        return;
    if (call->watch) {
        struct heard h = { ++call->watch->sequence, tone };
        notify(call, &(struct call_notice){ .type = "ContinuousDtmfRecognitionToneReceived", .end = &fine,
                                            .context = call->watch->context, .url = call->watch->callback_uri,
                                            .more = write_heard, .arg = &h });
    }
    if (op && op->kind == OP_RECOGNISE && op->started)
        recognise_tone(&op->recognise, tone);
}

/* -- news --------------------------------------------------------------------------------------------------------- */
void call_media_news(struct call *call, const struct media_news *n)
{
    struct call_op *op = call->op_first;
    if (n->kind == MEDIA_TONE)
        hear(call, n->tone);
    else if (op && n->kind == MEDIA_PLAYED && op->kind != OP_SEND && n->op == op->player.media_op)
        player_played(&op->player, n->err);
    else if (op && n->kind == MEDIA_SENT && op->kind == OP_SEND && n->op == op->media_op)
        send_over(op, n->err);
    /* anything else was cancelled meanwhile */
}

void call_media_fetched(struct call *call, uint64_t media_op, enum err err, int status, const char *words,
                        struct str file)
{
    struct call_op *op = call->op_first;
    if (!op || op->kind == OP_SEND || op->player.media_op != media_op)
        return;
    struct call_step *s = call_step_begin(call->calls, call->key);
    if (err)
        call_trail(s, call, "prompt not fetched: HTTP %d %s %s", status, err_words(err), words);
    else
        call_trail(s, call, "prompt fetched, %zu octets", file.n);
    call_step_post(s);
    player_fetched(&op->player, err, file);
}

static void watch_free(struct call_watch *w)
{
    if (w) {
        struct arena *a = w->arena;
        arena_free(a);          /* w lives in it */
    }
}

enum err call_media_init(struct call *call)
{
    return call_time_init(call->calls, &call->op_timer, on_op_timer, call);
}

void call_media_end(struct call_step *s, struct call *call)
{
    cancel_all(s, call);
    watch_free(call->watch);
    call->watch = NULL;
}

void call_media_free(struct call *call)
{
    for (struct call_op *op = call->op_first, *next; op; op = next) {
        next = op->next;
        op_free(op);
    }
    call->op_first = call->op_last = NULL;
    call->ops = 0;
    watch_free(call->watch);
    call->watch = NULL;
    call_time_done(call->calls, &call->op_timer);
}

/* -- what the API asks -------------------------------------------------------------------------------------------- */
static enum err find_connected(struct calls *c, uint64_t resource, struct str id, struct str participant,
                               struct call **call, struct problem *why)
{
    enum err err = call_find(c, resource, id, call, why);
    if (err)
        return err;
    if ((*call)->state != CALL_ST_CONNECTED)
        return rule_problem(why, ERR_RANGE, RULE_CALL_NOT_ESTABLISHED);
    if (participant.n && !str_eq(participant, (*call)->outbound ? (*call)->to : (*call)->from)) {
        char who[64];
        str_copyz(who, sizeof who, participant);
        return rule_problem(why, ERR_RANGE, RULE_PARTICIPANT_NOT_IN_CALL, who);
    }
    return ERR_NONE;
}

static enum err too_many(struct problem *why)
{
    return rule_problem(why, ERR_BUSY, RULE_MEDIA_QUEUE_FULL, "32");
}

static struct call_op *op_new(struct call *call, enum op_kind kind, struct str context, struct str callback_uri)
{
    struct call_op *op = calloc(1, sizeof *op);
    if (!op)
        return NULL;
    *op = (struct call_op){ .call = call, .kind = kind, .arena = arena_new() };
    if (op->arena) {
        op->context = arena_str(op->arena, context);
        op->callback_uri = arena_str(op->arena, callback_uri);
    }
    if (!op->arena || !op->context.p || !op->callback_uri.p) {
        op_free(op);
        return NULL;
    }
    return op;
}

static bool op_sources(struct call_op *op, const struct call_play *rq)
{
    op->uris = arena_array(op->arena, rq->n + 1, sizeof *op->uris);
    if (!op->uris)
        return false;
    for (size_t i = 0; i < rq->n; i++)
        if (!(op->uris[i] = arena_str(op->arena, rq->uris[i])).p)
            return false;
    op->player = (struct player){ .call = op->call, .uris = op->uris, .n = rq->n, .loop = rq->loop, .arg = op };
    return true;
}

/* Something else asked for the floor: say so in the trail, then in with it. */
static enum err op_accept(struct call_op *op, bool interrupt, const char *what, struct problem *why)
{
    struct call *call = op->call;
    if (interrupt)
        cancel_all_in_a_step(call, "api a new operation interrupts");
    if (call->ops >= OPS_MOST) {
        op_free(op);
        return too_many(why);
    }
    struct call_step *s = call_step_begin(call->calls, call->key);
    call_trail(s, call, "api %s%s", what, call->op_first ? " (waits its turn)" : "");
    call_step_post(s);
    op_push(op);
    return ERR_NONE;
}

static enum err no_memory(struct call_op *op, struct problem *why)
{
    if (op)
        op_free(op);
    return problem_set(why, ERR_NOMEM, "", "No memory for a media operation.");
}

enum err calls_play(struct calls *c, uint64_t resource, struct str id, const struct call_play *rq, struct problem *why)
{
    struct call *call;
    enum err err = find_connected(c, resource, id, rq->to, &call, why);
    if (err)
        return err;
    struct call_op *op = op_new(call, OP_PLAY, rq->context, rq->callback_uri);
    if (!op || !op_sources(op, rq))
        return no_memory(op, why);
    op->player.started = play_started;
    op->player.over = play_over;
    return op_accept(op, rq->interrupt, "play", why);
}

enum err calls_recognise(struct calls *c, uint64_t resource, struct str id, const struct call_recognise *rq,
                         struct problem *why)
{
    struct call *call;
    enum err err = find_connected(c, resource, id, rq->prompt.to, &call, why);
    if (err)
        return err;
    struct call_op *op = op_new(call, OP_RECOGNISE, rq->prompt.context, rq->prompt.callback_uri);
    struct str stops = op ? arena_str(op->arena, str_of(rq->stop_tones)) : (struct str){ 0 };
    if (!op || !stops.p || !op_sources(op, &rq->prompt))
        return no_memory(op, why);
    op->player.over = prompt_over;
    op->recognise_conf = (struct recognise_conf){
        .prompted = rq->prompt.n, .interruptible = rq->interruptible, .silence_us = rq->silence_us,
        .gap_us = rq->gap_us, .stop_tones = stops.p,
        .tones_most = rq->tones_most && rq->tones_most < TONES_MOST ? rq->tones_most : TONES_MOST };
    return op_accept(op, rq->prompt.interrupt, "recognise tones", why);
}

/* A call does not outlive the process, so memory is enough to know a repetition of what was taken. */
static bool seen_before(const struct call *call, struct str repeat_id)
{
    uint64_t hash = hash_str(repeat_id);
    for (size_t i = 0; repeat_id.n && i < ARRAY_LEN(call->repeats) && i < call->repeats_n; i++)
        if (call->repeats[i] == hash)
            return true;
    return false;
}

static void remember(struct call *call, struct str repeat_id)
{
    if (repeat_id.n)
        call->repeats[call->repeats_n++ % ARRAY_LEN(call->repeats)] = hash_str(repeat_id);
}

enum err calls_send_tones(struct calls *c, uint64_t resource, struct str id, const struct call_tones *rq,
                          struct problem *why)
{
    struct call *call;
    enum err err = find_connected(c, resource, id, rq->to, &call, why);
    if (err)
        return err;
    if (seen_before(call, rq->repeat_id))
        return ERR_NONE;
    struct call_op *op = op_new(call, OP_SEND, rq->context, rq->callback_uri);
    if (!op || !(op->tones = arena_str(op->arena, str_of(rq->tones))).p)
        return no_memory(op, why);
    err = op_accept(op, false, "send tones", why);
    if (!err)
        remember(call, rq->repeat_id);
    return err;
}

enum err calls_cancel_media(struct calls *c, uint64_t resource, struct str id, struct problem *why)
{
    struct call *call;
    enum err err = find_connected(c, resource, id, (struct str){ 0 }, &call, why);
    if (!err)
        cancel_all_in_a_step(call, "api cancel all media operations");
    return err;
}

static void watch_stop(struct call *call)
{
    static const struct call_end fine = { .code = 200 };
    if (call->watch)
        notify(call, &(struct call_notice){ .type = "ContinuousDtmfRecognitionStopped", .end = &fine,
                                            .context = call->watch->context, .url = call->watch->callback_uri });
    watch_free(call->watch);
    call->watch = NULL;
}

static enum err watch_start(struct call *call, struct str context, struct str callback_uri, struct problem *why)
{
    struct arena *a = arena_new();
    struct call_watch *w = a ? arena_one(a, struct call_watch) : NULL;
    if (w)
        *w = (struct call_watch){ .arena = a, .context = arena_str(a, context),
                                  .callback_uri = arena_str(a, callback_uri) };
    if (!w || !w->context.p || !w->callback_uri.p) {
        arena_free(a);
        return problem_set(why, ERR_NOMEM, "", "No memory to watch tones.");
    }
    if (call->watch)        /* started twice: the newer context counts, the numbering goes on */
        w->sequence = call->watch->sequence;
    watch_free(call->watch);
    call->watch = w;
    return ERR_NONE;
}

enum err calls_watch_tones(struct calls *c, uint64_t resource, struct str id, bool on, struct str participant,
                           struct str context, struct str callback_uri, struct problem *why)
{
    struct call *call;
    enum err err = find_connected(c, resource, id, participant, &call, why);
    if (err)
        return err;
    if (on)
        return watch_start(call, context, callback_uri, why);
    watch_stop(call);
    return ERR_NONE;
}

void call_media_greet(struct call *call)
{
    struct call_play rq = { .uris = { call->play }, .n = 1 };
    char id[GUID_SIZE];
    ids_guid(call->calls->control->ids, ID_CALL, call->key, id);
    if (call->play.n && calls_play(call->calls, 0, str_of(id), &rq, NULL))
        log_warn("calls", "a call's first prompt could not be queued");
}
