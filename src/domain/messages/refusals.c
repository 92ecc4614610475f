/* refusals.c - why recipients of a request were refused, in the service's words and in ours. */
#include "base/str.h"
#include "domain/messages/messages_priv.h"

#include <stdio.h>

static const struct sms_refusal no_memory = {
    .why = { .code = "ServiceUnavailable", .text = "Out of memory.", .suggestion = "Send it to this recipient again." },
};

const char *sms_refusal_words(const struct sms_refusal *r, char out[SMS_REFUSAL_WORDS])
{
    if (r->service)
        return r->service;
    snprintf(out, SMS_REFUSAL_WORDS, "%s%s%s", r->why.text, r->why.suggestion[0] ? " " : "", r->why.suggestion);
    return out;
}

void refuse_recipient(struct sms_result *r, int status, const struct sms_refusal *refusal)
{
    struct sms_refusal *kept = malloc(sizeof *kept);
    if (kept)
        *kept = *refusal;
    r->status = status;
    r->refusal = kept ? kept : &no_memory;
}

void refusals_free(const struct sms_result *results, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (results[i].refusal != &no_memory)
            free((void *)(uintptr_t)results[i].refusal);
}

/* "+12065550100: <reason>"; false: there is no room. */
static bool append(char *text, size_t size, const struct sms_result *r)
{
    enum { TO_SHOWN = 24, TAIL = 24 };          /* TAIL: for how many others there are */
    const char *why = r->refusal->why.text[0] ? r->refusal->why.text : r->refusal->service;
    size_t used = strlen(text);
    char one[512];
    snprintf(one, sizeof one, " %.*s: %s", (int)(r->to.n < TO_SHOWN ? r->to.n : TO_SHOWN), r->to.p, why ? why : "refused");
    bool alone = text[used - 1] == ':';         /* the first is told in any case, cut if it must be */
    if (!alone && used + strlen(one) + TAIL >= size)
        return false;
    snprintf(text + used, size - used, "%s", one);
    return true;
}

size_t sms_results_refused(const struct sms_result *results, size_t n, struct problem *why)
{
    size_t refused = 0, told = 0;
    const struct sms_refusal *first = NULL;
    for (size_t i = 0; i < n; i++) {
        refused += results[i].status != 202;
        first = !first && results[i].status != 202 ? results[i].refusal : first;
    }
    if (!first)
        return 0;
    *why = (struct problem){ 0 };
    snprintf(why->code, sizeof why->code, "%s", refused == n ? "RecipientsRefused" : "SomeRecipientsRefused");
    snprintf(why->text, sizeof why->text, "%zu of %zu recipients %s refused:", refused, n, refused == 1 ? "was" : "were");
    for (size_t i = 0; i < n; i++) {
        if (results[i].status == 202)
            continue;
        if (!append(why->text, sizeof why->text, &results[i]))
            break;
        told++;
    }
    size_t used = strlen(why->text);
    if (told < refused)
        snprintf(why->text + used, sizeof why->text - used, " And %zu more.", refused - told);
    memcpy(why->rule, first->why.rule, sizeof why->rule);
    memcpy(why->suggestion, first->why.suggestion, sizeof why->suggestion);
    return refused;
}
