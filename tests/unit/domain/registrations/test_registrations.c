/* Briefs from draft to decision, over a real store: states, submit rules, decisions, restart, attachments. */
#include "domain/registrations/registrations.h"
#include "unit/domain/numbers/world.h"

#include <stdio.h>

#define ID1 "6e0b0e4b-6a35-4d0a-9f5c-0d2a6a1f2c11"
#define ID2 "6E0B0E4B-6A35-4D0A-9F5C-0D2A6A1F2C12"
#define ID3 "6e0b0e4b-6a35-4d0a-9f5c-0d2a6a1f2c13"
#define CAMPAIGN                                                                                                            \
    "{\"businessPointOfContact\":{\"firstName\":\"A\",\"lastName\":\"B\",\"phone\":\"+12065550100\",\"email\":\"a@b.co\"}," \
    "\"businessInformation\":{\"companyName\":\"C\",\"companyUrl\":\"https://c.example\",\"address\":{"                     \
    "\"addressLine1\":\"1\",\"locality\":\"S\",\"administrativeDivision\":\"WA\",\"postalCode\":\"9\",\"country\":\"US\"}}," \
    "\"useCaseInfo\":{\"sampleMessages\":[\"m\"],\"useCase\":\"Billing\",\"useCaseSummary\":\"s\"},"                        \
    "\"estimatedMonthlyVolume\":\"V1000\",\"optInDetails\":{\"options\":[{\"type\":\"website\"}]},\"phoneNumbers\":[\"%llu\"]}"
#define PROGRAM                                                                                                             \
    "{\"programDetails\":{\"numberType\":\"%s\",\"name\":\"N\",\"description\":\"D\",\"url\":\"https://c.example\","        \
    "\"signUpTypes\":[\"sms\"],\"termsOfServiceUrl\":\"https://c.example/t\",\"privacyPolicyUrl\":\"https://c.example/p\"%s}," \
    "\"companyInformation\":{\"name\":\"C\",\"url\":\"https://c.example\",\"address\":\"1 S\",\"contactInformation\":"      \
    "{\"name\":\"A\",\"phone\":\"+12065550100\",\"email\":\"a@b.co\"},\"customerCareInformation\":{\"email\":\"a@b.co\"}}," \
    "\"messageDetails\":{\"types\":[\"sms\"],\"recurrence\":\"transaction\",\"directionality\":\"twoWay\",\"useCases\":[{}]}," \
    "\"trafficDetails\":{\"estimatedVolume\":1}}"

struct bench {
    struct world         *w;
    struct registrations *r;
    enum err              err;
    bool                  created;
    struct brief          b;            /* the last outcome; its texts are not to be looked at */
    char                  notes[2000], content[4000];
    struct problem        why;
};

static struct registrations *loaded(struct bench *b)
{
    struct registrations *r;
    struct problem why = { 0 };
    assert_int_equal(registrations_new(&r, &b->w->control, b->w->numbers), ERR_NONE);
    if (registrations_load(r, &why))
        fail_msg("%s", why.text);
    return r;
}

static int set_up(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    b->w = world_new();
    b->r = loaded(b);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *b = *state;
    struct registrations *r = b->r;
    world_free(b->w);
    registrations_free(r);
    free(b);
    return 0;
}

static void on_done(void *arg, enum err err, const struct brief *brief, bool created, const struct problem *why)
{
    struct bench *b = arg;
    b->err = err;
    b->created = created;
    if (brief) {
        b->b = *brief;
        snprintf(b->notes, sizeof b->notes, "%s", brief->notes);
        snprintf(b->content, sizeof b->content, "%s", brief->content);
    }
    if (why)
        b->why = *why;
    b->w->waiting--;
}

static enum err waited(struct bench *b, enum err err)
{
    if (err) {
        b->w->waiting--;
        return err;
    }
    world_pump(b->w);
    return b->err;
}

static struct brief_ref campaign(struct bench *b, const char *id)
{
    return (struct brief_ref){ b->w->us, BRIEF_CAMPAIGN, STR("US"), str_of(id) };
}

static struct brief_ref program(struct bench *b, const char *id)
{
    return (struct brief_ref){ b->w->us, BRIEF_PROGRAM, STR("US"), str_of(id) };
}

static enum err put(struct bench *b, struct brief_ref ref, const char *patch)
{
    scoped(json_doc) struct json_doc *doc = NULL;
    b->why = (struct problem){ 0 };
    assert_int_equal(json_read(&doc, str_of(patch), NULL), ERR_NONE);
    assert_int_equal(brief_patch_check(ref.kind, json_root(doc), &b->why), ERR_NONE);
    b->w->waiting++;
    return waited(b, registrations_put(b->r, &ref, json_root(doc), on_done, b, &b->why));
}

static enum err submit(struct bench *b, struct brief_ref ref)
{
    b->why = (struct problem){ 0 };
    b->w->waiting++;
    return waited(b, registrations_submit(b->r, &ref, on_done, b, &b->why));
}

static enum err delete(struct bench *b, struct brief_ref ref)
{
    b->why = (struct problem){ 0 };
    b->w->waiting++;
    return waited(b, registrations_delete(b->r, &ref, on_done, b, &b->why));
}

static enum err decide(struct bench *b, const char *id, enum brief_event event, const char *code, const char *note,
                       const char *short_code)
{
    const struct brief *brief;
    struct brief_decision d = { event, str_of(code), str_of(note), str_of(short_code) };
    b->why = (struct problem){ 0 };
    if (registrations_named(b->r, 0, str_of(id), &brief, &b->why))
        fail_msg("%s", b->why.text);
    b->w->waiting++;
    return waited(b, registrations_decide(b->r, brief, &d, on_done, b, &b->why));
}

static void put_campaign(struct bench *b, const char *id, uint64_t number)
{
    char text[2000];
    snprintf(text, sizeof text, CAMPAIGN, (unsigned long long)number);
    if (put(b, campaign(b, id), text))
        fail_msg("%s", b->why.text);
}

static void put_program(struct bench *b, const char *id, const char *vanity)
{
    char text[3000], more[200] = "";
    if (vanity)
        snprintf(more, sizeof more, ",\"isVanity\":true,\"preferredVanityNumbers\":[%s]", vanity);
    snprintf(text, sizeof text, PROGRAM, "shortCode", more);
    if (put(b, program(b, id), text))
        fail_msg("%s", b->why.text);
}

static enum number_registration of(struct bench *b, uint64_t number)
{
    return registrations_of_number(b->r, leased(b->w, number));
}

static uint64_t a_toll_free(struct bench *b)
{
    return lease_one(b->w, b->w->us, toll_free_in("833", 1));
}

/* -- tests ----------------------------------------------------------------------------------------------------------------- */

static void a_brief_goes_from_draft_to_approved_and_its_number_is_verified(void **state)
{
    struct bench *b = *state;
    uint64_t number = a_toll_free(b);
    assert_int_equal(of(b, number), REGISTRATION_UNVERIFIED);
    put_campaign(b, ID1, number);
    assert_true(b->created);
    assert_int_equal(b->b.state, BRIEF_DRAFT);
    assert_int_equal(put(b, campaign(b, ID1), "{\"additionalInformation\":\"x\"}"), ERR_NONE);
    assert_false(b->created);
    assert_non_null(strstr(b->content, "\"companyName\":\"C\""));
    assert_int_equal(of(b, number), REGISTRATION_UNVERIFIED);
    world_sleep(b->w, MINUTE);
    assert_int_equal(submit(b, campaign(b, ID1)), ERR_NONE);
    assert_int_equal(b->b.state, BRIEF_SUBMITTED);
    assert_int_equal(b->b.submitted_us, b->w->now_us);
    assert_int_equal(of(b, number), REGISTRATION_PENDING);
    assert_int_equal(decide(b, ID1, BRIEF_EV_APPROVE, "", "fine", ""), ERR_NONE);
    assert_int_equal(b->b.state, BRIEF_APPROVED);
    assert_non_null(strstr(b->notes, "{\"message\":\"fine\",\"date\":"));
    assert_int_equal(of(b, number), REGISTRATION_VERIFIED);
}

static void a_decision_survives_a_restart(void **state)
{
    struct bench *b = *state;
    uint64_t number = a_toll_free(b);
    put_campaign(b, ID1, number);
    assert_int_equal(submit(b, campaign(b, ID1)), ERR_NONE);
    assert_int_equal(decide(b, ID1, BRIEF_EV_RETURN, "4101", "say more", ""), ERR_NONE);
    struct registrations *before = b->r;
    b->r = loaded(b);
    registrations_free(before);
    const struct brief *brief;
    assert_int_equal(registrations_find(b->r, b->w->us, BRIEF_CAMPAIGN, STR("US"), STR(ID1), &brief, NULL), ERR_NONE);
    assert_int_equal(brief->state, BRIEF_RETURNED);
    assert_non_null(strstr(brief->notes, "4101: say more"));
    assert_int_equal(of(b, number), REGISTRATION_RETURNED);
    assert_int_equal(submit(b, campaign(b, ID1)), ERR_NONE);
    assert_int_equal(decide(b, ID1, BRIEF_EV_DENY, "", "", ""), ERR_NONE);
    assert_int_equal(of(b, number), REGISTRATION_REJECTED);
}

static void what_may_be_done_depends_on_the_state(void **state)
{
    struct bench *b = *state;
    put_campaign(b, ID1, a_toll_free(b));
    assert_int_equal(decide(b, ID1, BRIEF_EV_APPROVE, "", "", ""), ERR_CONFLICT);
    assert_string_equal(b->why.rule, "BriefState");
    assert_int_equal(submit(b, campaign(b, ID1)), ERR_NONE);
    int64_t submitted = b->b.submitted_us;
    world_sleep(b->w, MINUTE);
    assert_int_equal(submit(b, campaign(b, ID1)), ERR_NONE);            /* a repeated request changes nothing */
    assert_int_equal(b->b.submitted_us, submitted);
    assert_int_equal(put(b, campaign(b, ID1), "{}"), ERR_CONFLICT);
    assert_string_equal(b->why.rule, "BriefState");
    assert_int_equal(delete(b, campaign(b, ID1)), ERR_CONFLICT);
    assert_int_equal(decide(b, ID1, BRIEF_EV_NEW_VANITY, "", "", ""), ERR_CONFLICT);    /* campaigns have no such state */
    assert_int_equal(decide(b, ID1, BRIEF_EV_CANCEL, "", "", ""), ERR_NONE);
    assert_int_equal(submit(b, campaign(b, ID1)), ERR_CONFLICT);
    assert_int_equal(delete(b, campaign(b, ID1)), ERR_NONE);
    assert_int_equal(delete(b, campaign(b, ID1)), ERR_ABSENT);
    put_campaign(b, ID1, a_toll_free(b));
    assert_true(b->created);
}

static void a_submission_wants_the_numbers_leased_here_and_toll_free(void **state)
{
    struct bench *b = *state;
    uint64_t local = lease_one(b->w, b->w->us, local_in("206", 1)), theirs = lease_one(b->w, b->w->other, toll_free_in("833", 1));
    uint64_t ours = a_toll_free(b);
    static const char *const rules[] = { "BriefNumberNotTollFree", "BriefNumberNotLeased", "BriefNumberNotLeased" };
    uint64_t numbers[] = { local, theirs, 18335550123 };
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        put_campaign(b, ID1, numbers[i]);
        assert_int_equal(submit(b, campaign(b, ID1)), ERR_RANGE);
        assert_string_equal(b->why.rule, rules[i]);
        assert_string_equal(b->why.target, "phoneNumbers");
    }
    put_campaign(b, ID1, ours);
    assert_int_equal(submit(b, campaign(b, ID1)), ERR_NONE);
    put_campaign(b, ID2, ours);
    assert_int_equal(submit(b, campaign(b, ID2)), ERR_RANGE);
    assert_string_equal(b->why.rule, "NumberInOtherBrief");
    assert_int_equal(put(b, campaign(b, ID3), "{\"phoneNumbers\":[\"18335550123\"]}"), ERR_NONE);
    assert_int_equal(submit(b, campaign(b, ID3)), ERR_RANGE);
    assert_string_equal(b->why.rule, "BriefIncomplete");
}

static void two_briefs_submitted_at_once_do_not_both_get_a_number(void **state)
{
    struct bench *b = *state;
    struct brief_ref first = campaign(b, ID1), second = campaign(b, ID2);
    uint64_t ours = a_toll_free(b);
    put_campaign(b, ID1, ours);
    put_campaign(b, ID2, ours);
    b->w->waiting++;
    assert_int_equal(registrations_submit(b->r, &first, on_done, b, &b->why), ERR_NONE);
    assert_int_equal(registrations_submit(b->r, &second, on_done, b, &b->why), ERR_RANGE);
    assert_string_equal(b->why.rule, "NumberInOtherBrief");
    assert_int_equal(waited(b, ERR_NONE), ERR_NONE);
    assert_int_equal(b->b.state, BRIEF_SUBMITTED);
}

static void verification_ends_with_the_lease(void **state)
{
    struct bench *b = *state;
    uint64_t number = a_toll_free(b);
    put_campaign(b, ID1, number);
    assert_int_equal(submit(b, campaign(b, ID1)), ERR_NONE);
    assert_int_equal(decide(b, ID1, BRIEF_EV_APPROVE, "", "", ""), ERR_NONE);
    assert_int_equal(of(b, number), REGISTRATION_VERIFIED);
    struct lease again = *leased(b->w, number);
    again.purchased_us = b->w->now_us + DAY;                            /* the same resource leases it anew */
    assert_int_equal(registrations_of_number(b->r, &again), REGISTRATION_UNVERIFIED);
    again = *leased(b->w, number);
    again.resource = b->w->other;
    assert_int_equal(registrations_of_number(b->r, &again), REGISTRATION_UNVERIFIED);
}

static void ids_are_guids_of_a_resource_and_countries_are_those_with_verification(void **state)
{
    struct bench *b = *state;
    struct brief_ref elsewhere = campaign(b, ID1);
    assert_int_equal(put(b, campaign(b, "mine"), "{}"), ERR_RANGE);
    assert_string_equal(b->why.rule, "BriefIdInvalid");
    elsewhere.country = STR("SC");
    assert_int_equal(put(b, elsewhere, "{}"), ERR_RANGE);
    assert_string_equal(b->why.rule, "VerificationCountry");
    assert_int_equal(put(b, campaign(b, ID2), "{}"), ERR_NONE);
    assert_string_equal(b->b.id, "6e0b0e4b-6a35-4d0a-9f5c-0d2a6a1f2c12");
    elsewhere.country = STR("CA");
    elsewhere.id = STR(ID2);
    assert_int_equal(put(b, elsewhere, "{}"), ERR_CONFLICT);
    assert_int_equal(submit(b, elsewhere), ERR_ABSENT);
    struct brief_ref theirs = campaign(b, ID2);
    theirs.resource = b->w->other;
    assert_int_equal(submit(b, theirs), ERR_ABSENT);
    assert_int_equal(put(b, theirs, "{}"), ERR_NONE);
    const struct brief *brief;
    assert_int_equal(registrations_named(b->r, 0, STR(ID2), &brief, &b->why), ERR_CONFLICT);
    assert_int_equal(registrations_named(b->r, b->w->other, STR(ID2), &brief, &b->why), ERR_NONE);
}

static void an_approved_program_gets_a_short_code_of_its_own(void **state)
{
    struct bench *b = *state;
    const struct brief *found[4];
    bool more;
    put_program(b, ID1, NULL);
    put_program(b, ID2, "\"555000\",\"77777\"");
    put_program(b, ID3, NULL);
    const char *ids[] = { ID1, ID2, ID3 };
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(submit(b, program(b, ids[i])), ERR_NONE);
    assert_int_equal(decide(b, ID1, BRIEF_EV_APPROVE, "", "", ""), ERR_NONE);
    assert_string_equal(b->b.number, "555000");
    assert_int_equal(decide(b, ID2, BRIEF_EV_APPROVE, "", "", ""), ERR_NONE);
    assert_string_equal(b->b.number, "77777");                          /* its first wish was taken */
    assert_int_equal(decide(b, ID3, BRIEF_EV_APPROVE, "", "", "77777"), ERR_CONFLICT);
    assert_string_equal(b->why.rule, "ShortCodeTaken");
    assert_int_equal(decide(b, ID3, BRIEF_EV_APPROVE, "", "", "1234"), ERR_RANGE);
    assert_int_equal(decide(b, ID3, BRIEF_EV_DENY, "", "", "12345"), ERR_RANGE);
    assert_string_equal(b->why.rule, "ShortCodeUnasked");
    assert_int_equal(decide(b, ID3, BRIEF_EV_APPROVE, "", "", "12345"), ERR_NONE);
    struct brief_filter filter = { b->w->us, BRIEF_PROGRAM, { NULL, 0 }, true };
    assert_int_equal(registrations_list(b->r, &filter, 0, 2, found, &more), 2);
    assert_true(more);
    assert_int_equal(registrations_list(b->r, &filter, 2, 2, found, &more), 1);
    assert_string_equal(found[0]->number, "12345");
    assert_false(more);
    assert_int_equal(decide(b, ID1, BRIEF_EV_DENY, "", "", ""), ERR_NONE);
    assert_string_equal(b->b.number, "");                               /* and the code is free again */
    assert_int_equal(registrations_list(b->r, &filter, 0, 4, found, &more), 2);
}

static void new_vanity_numbers_are_asked_for_and_given(void **state)
{
    struct bench *b = *state;
    put_program(b, ID1, "\"77777\"");
    assert_int_equal(submit(b, program(b, ID1)), ERR_NONE);
    assert_int_equal(decide(b, ID1, BRIEF_EV_CANCEL, "", "", ""), ERR_CONFLICT);        /* programs have no such state */
    assert_int_equal(decide(b, ID1, BRIEF_EV_NEW_VANITY, "", "all taken", ""), ERR_NONE);
    assert_string_equal(brief_state_word(b->b.kind, b->b.state), "submitNewVanityNumbers");
    assert_int_equal(put(b, program(b, ID1), "{\"programDetails\":{\"preferredVanityNumbers\":[\"88888\"]}}"), ERR_NONE);
    assert_int_equal(submit(b, program(b, ID1)), ERR_NONE);
    assert_int_equal(decide(b, ID1, BRIEF_EV_APPROVE, "", "", ""), ERR_NONE);
    assert_string_equal(b->b.number, "88888");
}

static void an_alphanumeric_sender_cannot_be_asked_for_in_the_us(void **state)
{
    struct bench *b = *state;
    char text[3000];
    snprintf(text, sizeof text, PROGRAM, "alphaId", "");
    assert_int_equal(put(b, program(b, ID1), text), ERR_NONE);
    assert_int_equal(submit(b, program(b, ID1)), ERR_RANGE);
    assert_string_equal(b->why.rule, "AlphaIdNotOffered");
}

struct page { struct db_read read; size_t n; char content[64]; bool heard; };

static void on_page(void *owner, struct inbox_item *item)
{
    struct page *p = container_of(item, struct page, read.item);
    ((struct world *)owner)->waiting--;
    assert_int_equal(p->read.err, ERR_NONE);
    p->n = db_rows_count(p->read.rows);
    if (db_rows_next(p->read.rows)) {
        struct str content = brief_attachment_row_of(p->read.rows).content;
        snprintf(p->content, sizeof p->content, STR_FMT, STR_ARG(content));
    }
    db_rows_free(p->read.rows);
}

static const struct inbox_kind page_kind = { "test.page", on_page, NULL };

static enum err attach(struct bench *b, const char *id, const char *content)
{
    struct brief_attachment a = { .type = "optInWebsite", .name = "f.png", .file_type = "png", .size = 3 };
    struct brief_ref ref = campaign(b, ID1);
    snprintf(a.id, sizeof a.id, "%s", id);
    b->why = (struct problem){ 0 };
    b->w->waiting++;
    return waited(b, registrations_attach(b->r, &ref, &a, str_of(content), on_done, b, &b->why));
}

static size_t attached(struct bench *b, const char *id, struct page *p)
{
    struct brief_ref ref = campaign(b, ID1);
    *p = (struct page){ .read = { .item.kind = &page_kind, .to = control_inbox(&b->w->control) } };
    b->w->waiting++;
    if (registrations_attachments(b->r, &ref, str_of(id), 0, 100, &p->read, &b->why)) {
        b->w->waiting--;
        return 0;
    }
    world_pump(b->w);
    return p->n;
}

static void files_are_attached_replaced_listed_and_taken_off(void **state)
{
    struct bench *b = *state;
    struct page p;
    char id[64];
    put_campaign(b, ID1, 18335550123);
    for (int i = 0; i < BRIEF_ATTACHMENTS_MAX; i++) {
        snprintf(id, sizeof id, "00000000-0000-4000-8000-0000000000%02d", i);
        assert_int_equal(attach(b, id, "AAAA"), ERR_NONE);
        assert_true(b->created);
    }
    assert_int_equal(attach(b, ID3, "AAAA"), ERR_CONFLICT);
    assert_string_equal(b->why.rule, "TooManyAttachments");
    assert_int_equal(attach(b, id, "BBBB"), ERR_NONE);
    assert_false(b->created);
    assert_int_equal(attached(b, "", &p), BRIEF_ATTACHMENTS_MAX);
    assert_int_equal(attached(b, id, &p), 1);
    assert_string_equal(p.content, "BBBB");
    struct registrations *before = b->r;
    b->r = loaded(b);
    registrations_free(before);
    const struct brief *brief;
    assert_int_equal(registrations_find(b->r, b->w->us, BRIEF_CAMPAIGN, STR("US"), STR(ID1), &brief, NULL), ERR_NONE);
    assert_int_equal(brief->n_attachments, BRIEF_ATTACHMENTS_MAX);
    struct brief_ref ref = campaign(b, ID1);
    b->w->waiting++;
    assert_int_equal(waited(b, registrations_detach(b->r, &ref, str_of(id), on_done, b, &b->why)), ERR_NONE);
    assert_int_equal(registrations_detach(b->r, &ref, str_of(id), on_done, b, &b->why), ERR_ABSENT);
    assert_int_equal(attached(b, "", &p), BRIEF_ATTACHMENTS_MAX - 1);
    assert_int_equal(delete(b, campaign(b, ID1)), ERR_NONE);
    put_campaign(b, ID1, 18335550123);
    assert_int_equal(b->b.n_attachments, 0);
    assert_int_equal(attached(b, "", &p), 0);
}

static void a_second_change_waits_for_the_first(void **state)
{
    struct bench *b = *state;
    scoped(json_doc) struct json_doc *doc = NULL;
    struct brief_ref ref = campaign(b, ID1);
    const struct brief *brief;
    assert_int_equal(json_read(&doc, STR("{}"), NULL), ERR_NONE);
    b->w->waiting++;
    assert_int_equal(registrations_put(b->r, &ref, json_root(doc), on_done, b, &b->why), ERR_NONE);
    assert_int_equal(registrations_put(b->r, &ref, json_root(doc), on_done, b, &b->why), ERR_BUSY);
    assert_int_equal(b->why.retry_after_s, 1);
    assert_int_equal(registrations_find(b->r, b->w->us, BRIEF_CAMPAIGN, STR("US"), STR(ID1), &brief, &b->why), ERR_ABSENT);
    world_pump(b->w);
    assert_int_equal(registrations_find(b->r, b->w->us, BRIEF_CAMPAIGN, STR("US"), STR(ID1), &brief, &b->why), ERR_NONE);
}

static void a_resource_cannot_fill_the_store_with_briefs(void **state)
{
    struct bench *b = *state;
    char id[64];
    for (int i = 0; i < BRIEFS_MOST; i++) {
        snprintf(id, sizeof id, "00000000-0000-4000-8000-00000000%04d", i);
        assert_int_equal(put(b, campaign(b, id), "{}"), ERR_NONE);
    }
    assert_int_equal(put(b, campaign(b, ID1), "{}"), ERR_CONFLICT);
    assert_string_equal(b->why.rule, "TooManyBriefs");
    assert_int_equal(put(b, program(b, ID1), "{}"), ERR_NONE);
    assert_int_equal(delete(b, campaign(b, id)), ERR_NONE);
    assert_int_equal(put(b, campaign(b, ID1), "{}"), ERR_NONE);
}

static void on_ended(void *arg, enum err err)
{
    struct bench *b = arg;
    b->err = err;
    b->w->waiting--;
}

static void a_deleted_resource_leaves_no_briefs(void **state)
{
    struct bench *b = *state;
    struct brief_filter all = { .kind = -1 };
    const struct brief *found[4];
    bool more;
    struct brief_ref theirs = campaign(b, ID1);
    theirs.resource = b->w->other;
    put_campaign(b, ID1, 18335550123);
    put_program(b, ID2, NULL);
    assert_int_equal(attach(b, ID3, "AAAA"), ERR_NONE);
    assert_int_equal(put(b, theirs, "{}"), ERR_NONE);
    b->w->waiting++;
    assert_int_equal(waited(b, registrations_end(b->r, b->w->us, on_ended, b)), ERR_NONE);
    b->w->waiting++;
    assert_int_equal(waited(b, registrations_end(b->r, b->w->us, on_ended, b)), ERR_NONE);  /* nothing is left */
    for (int again = 0; again < 2; again++) {
        assert_int_equal(registrations_list(b->r, &all, 0, 4, found, &more), 1);
        assert_int_equal(found[0]->resource, b->w->other);
        struct registrations *before = b->r;
        b->r = loaded(b);
        registrations_free(before);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_brief_goes_from_draft_to_approved_and_its_number_is_verified),
        TEST(a_decision_survives_a_restart),
        TEST(what_may_be_done_depends_on_the_state),
        TEST(a_submission_wants_the_numbers_leased_here_and_toll_free),
        TEST(two_briefs_submitted_at_once_do_not_both_get_a_number),
        TEST(verification_ends_with_the_lease),
        TEST(ids_are_guids_of_a_resource_and_countries_are_those_with_verification),
        TEST(an_approved_program_gets_a_short_code_of_its_own),
        TEST(new_vanity_numbers_are_asked_for_and_given),
        TEST(an_alphanumeric_sender_cannot_be_asked_for_in_the_us),
        TEST(files_are_attached_replaced_listed_and_taken_off),
        TEST(a_second_change_waits_for_the_first),
        TEST(a_resource_cannot_fill_the_store_with_briefs),
        TEST(a_deleted_resource_leaves_no_briefs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
