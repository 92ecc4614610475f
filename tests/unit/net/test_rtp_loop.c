#include "unit/net/rtp_ends.h"

static void a_prompt_is_heard(uint8_t payload)
{
    static int16_t speech[SECOND];
    hear_make_speech(speech, SECOND, SECOND, 7);
    struct audio *prompt = NULL;
    assert_int_equal(audio_of(&prompt, speech, SECOND), ERR_NONE);
    join(1, payload, 101);
    assert_int_equal(rtp_loop_record(b.rl, 1), ERR_NONE);
    assert_int_equal(rtp_loop_listen(b.rl, 1, 500), ERR_NONE);
    assert_int_equal(rtp_loop_play(a.rl, 1, 42, prompt, false), ERR_NONE);
    audio_unref(prompt);

    assert_int_equal(wait_for(&a, PLAYED, 1, 0).op, 42);
    assert_int_equal(wait_for(&a, PLAYED, 1, 0).err, ERR_NONE);
    wait_for(&b, HEARD, 1, 0);
    usleep(100000);
    assert_int_equal(rtp_loop_close(b.rl, 1), ERR_NONE);
    struct told t = wait_for(&b, RECORDED, 1, 0);
    long lag = 0;
    double r = hear_correlate(speech, SECOND, t.samples, t.n, &lag);
    print_message("correlation %.4f at sample %ld of %zu\n", r, lag, t.n);
    assert_true(r >= 0.9);
    struct rtp_loop_counters c = wait_for(&b, CLOSED, 1, 0).counters;
    assert_true(c.received >= 50);
    assert_int_equal(c.malformed, 0);
    assert_int_equal(c.strangers, 0);
    assert_true(c.sent >= 50);                     /* silence flows the other way */
}

static void a_prompt_played_in_mu_law_is_heard_at_the_other_end(void **state)
{
    (void)state;
    a_prompt_is_heard(RTP_PCMU);
}

static void a_prompt_played_in_a_law_is_heard_at_the_other_end(void **state)
{
    (void)state;
    a_prompt_is_heard(RTP_PCMA);
}

static void pressed_digits_are_told_once_each(uint8_t dtmf)
{
    join(2, RTP_PCMU, dtmf);
    assert_int_equal(rtp_loop_send_tones(a.rl, 2, 5, STR("12#3")), ERR_NONE);
    assert_int_equal(wait_for(&a, SENT, 2, 0).err, ERR_NONE);
    usleep(100000);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(wait_for(&b, TONE, 2, i).tone, "12#3"[i]);
    assert_int_equal(count_told(&b, TONE, 2), 4);
    assert_int_equal(count_told(&a, SENT, 2), 1);
}

static void digits_as_telephone_events_are_told_once_each(void **state)
{
    (void)state;
    pressed_digits_are_told_once_each(101);
}

static void digits_under_another_payload_number_are_told_once_each(void **state)
{
    (void)state;
    pressed_digits_are_told_once_each(97);
}

static void digits_as_sound_are_told_once_each_where_there_are_no_events(void **state)
{
    (void)state;
    pressed_digits_are_told_once_each(0);
}

static void the_same_digit_twice_is_two_presses(void **state)
{
    (void)state;
    join(3, RTP_PCMU, 101);
    assert_int_equal(rtp_loop_send_tones(a.rl, 3, 1, STR("55")), ERR_NONE);
    assert_int_equal(rtp_loop_send_tones(a.rl, 3, 2, STR("5")), ERR_NONE);
    assert_int_equal(wait_for(&a, SENT, 3, 1).op, 2);
    usleep(100000);
    assert_int_equal(count_told(&b, TONE, 3), 3);
}

static void plays_wait_for_each_other_and_stop_when_told(void **state)
{
    (void)state;
    static int16_t tenth[SECOND / 10] = { 1000 };
    struct audio *s = NULL;
    assert_int_equal(audio_of(&s, tenth, SECOND / 10), ERR_NONE);
    join(4, RTP_PCMU, 101);
    assert_int_equal(rtp_loop_play(a.rl, 4, 1, s, false), ERR_NONE);
    assert_int_equal(rtp_loop_play(a.rl, 4, 2, s, true), ERR_NONE);
    assert_int_equal(rtp_loop_play(a.rl, 4, 3, s, false), ERR_NONE);
    audio_unref(s);
    assert_int_equal(wait_for(&a, PLAYED, 4, 0).op, 1);
    usleep(300000);
    assert_int_equal(count_told(&a, PLAYED, 4), 1);             /* 2 repeats, 3 waits */
    assert_int_equal(rtp_loop_stop(a.rl, 4, 2), ERR_NONE);
    struct told t = wait_for(&a, PLAYED, 4, 1);
    assert_int_equal(t.op, 2);
    assert_int_equal(t.err, ERR_CLOSED);
    assert_int_equal(wait_for(&a, PLAYED, 4, 2).op, 3);
    assert_int_equal(wait_for(&a, PLAYED, 4, 2).err, ERR_NONE);
}

static void what_waits_is_told_closed_when_the_leg_ends(void **state)
{
    (void)state;
    static int16_t second[SECOND];
    struct audio *s = NULL;
    assert_int_equal(audio_of(&s, second, SECOND), ERR_NONE);
    open_leg(&a, 5);                                            /* never connected: nothing is sent */
    assert_int_equal(rtp_loop_play(a.rl, 5, 1, s, false), ERR_NONE);
    assert_int_equal(rtp_loop_send_tones(a.rl, 5, 2, STR("1")), ERR_NONE);
    assert_int_equal(rtp_loop_send_tones(a.rl, 5, 3, STR("1x")), ERR_NONE);
    assert_int_equal(wait_for(&a, SENT, 5, 0).err, ERR_RANGE);
    assert_int_equal(rtp_loop_close(a.rl, 5), ERR_NONE);
    assert_int_equal(wait_for(&a, PLAYED, 5, 0).err, ERR_CLOSED);
    assert_int_equal(wait_for(&a, SENT, 5, 1).err, ERR_CLOSED);
    assert_int_equal(wait_for(&a, CLOSED, 5, 0).counters.sent, 0);
    assert_int_equal(rtp_loop_play(a.rl, 5, 9, s, false), ERR_NONE);    /* gone by now */
    assert_int_equal(wait_for(&a, PLAYED, 5, 1).err, ERR_CLOSED);
    for (uint64_t op = 0; op <= RTP_LOOP_PLAYS_MAX; op++) {
        if (!op)
            open_leg(&a, 6);
        assert_int_equal(rtp_loop_play(a.rl, 6, op, s, false), ERR_NONE);
    }
    struct told t = wait_for(&a, PLAYED, 6, 0);
    assert_int_equal(t.err, ERR_BUSY);
    assert_int_equal(t.op, RTP_LOOP_PLAYS_MAX);
    audio_unref(s);
}

/* -- a peer by hand -------------------------------------------------------------------------------------------------------- */

static int peer_socket(const char *host, uint16_t *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t n = sizeof at;
    inet_pton(AF_INET, host, &at.sin_addr);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct timeval patience = { .tv_sec = PATIENCE_S };
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    *port = ntohs(at.sin_port);
    return fd;
}

static void say(int fd, uint16_t to, const void *bytes, size_t n)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(to), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    assert_int_equal(sendto(fd, bytes, n, 0, (struct sockaddr *)&at, sizeof at), n);
}

static void say_rtp(int fd, uint16_t to, uint8_t type, uint16_t sequence, uint32_t timestamp, const void *payload, size_t n)
{
    uint8_t bytes[256];
    struct rtp_packet p = { .type = type, .sequence = sequence, .timestamp = timestamp, .ssrc = 77,
                            .payload = payload, .n = n };
    struct wr w = wr_of(bytes, sizeof bytes);
    rtp_write(&p, &w);
    say(fd, to, bytes, wr_len(&w));
}

static void gaps_and_disorder_are_put_right_by_timestamp(void **state)
{
    (void)state;
    uint16_t peer_port, port = open_leg(&a, 7);
    int fd = peer_socket("127.0.0.1", &peer_port);
    connect_leg(&a, 7, peer_port, RTP_PCMU, 101);
    assert_int_equal(rtp_loop_record(a.rl, 7), ERR_NONE);
    uint8_t loud[160], quiet[160];
    memset(loud, 0x80, sizeof loud);                /* 32124 */
    memset(quiet, 0xf0, sizeof quiet);              /* 120 */
    say_rtp(fd, port, RTP_PCMU, 65534, 0xffffff60, loud, 160);      /* both counters wrap */
    say_rtp(fd, port, RTP_PCMU, 1, 320, loud, 160);
    say_rtp(fd, port, RTP_PCMU, 65535, 0, quiet, 160);              /* late; the next, at 160, never comes */
    usleep(100000);
    assert_int_equal(rtp_loop_close(a.rl, 7), ERR_NONE);
    struct told t = wait_for(&a, RECORDED, 7, 0);
    assert_int_equal(t.n, 4 * 160);
    assert_int_equal(t.samples[0], 32124);
    assert_int_equal(t.samples[159], 32124);
    assert_int_equal(t.samples[160], 120);
    assert_int_equal(t.samples[320], 0);
    assert_int_equal(t.samples[479], 0);
    assert_int_equal(t.samples[480], 32124);
    struct rtp_loop_counters c = wait_for(&a, CLOSED, 7, 0).counters;
    assert_int_equal(c.received, 3);
    assert_int_equal(c.lost, 1);
    close(fd);
}

static void an_event_that_lost_or_repeated_packets_is_one_press(void **state)
{
    (void)state;
    uint16_t peer_port, port = open_leg(&a, 8);
    int fd = peer_socket("127.0.0.1", &peer_port);
    connect_leg(&a, 8, peer_port, RTP_PCMU, 100);
    static const uint8_t going[] = { 7, 10, 0, 160 }, end[] = { 7, 0x8a, 3, 32 };
    static const uint8_t full[] = { 4, 10, 0xff, 0xff }, flash[] = { 16, 10, 0, 160 };
    say_rtp(fd, port, 100, 1, 1000, going, 4);
    say_rtp(fd, port, 100, 3, 1000, end, 4);
    say_rtp(fd, port, 100, 4, 1000, end, 4);
    say_rtp(fd, port, 100, 2, 1000, going, 4);      /* overtaken */
    say_rtp(fd, port, 100, 5, 1000, end, 4);
    say_rtp(fd, port, 101, 6, 9000, end, 4);        /* all but the end was lost; our own number for events */
    say_rtp(fd, port, 100, 7, 8000, end, 4);        /* an older press, too late to be told in order */
    say_rtp(fd, port, 100, 8, 20000, full, 4);
    say_rtp(fd, port, 100, 9, 20000 + 65535, full, 4);              /* held for over 8 s: still the same press */
    say_rtp(fd, port, 100, 10, 200000, flash, 4);   /* an event that is no tone */
    usleep(100000);
    assert_int_equal(rtp_loop_close(a.rl, 8), ERR_NONE);
    wait_for(&a, CLOSED, 8, 0);
    assert_int_equal(count_told(&a, TONE, 8), 3);
    assert_int_equal(wait_for(&a, TONE, 8, 0).tone, '7');
    assert_int_equal(wait_for(&a, TONE, 8, 1).tone, '7');
    assert_int_equal(wait_for(&a, TONE, 8, 2).tone, '4');
    close(fd);
}

static void malformed_datagrams_and_strangers_are_counted_and_dropped(void **state)
{
    (void)state;
    uint16_t peer_port, port = open_leg(&a, 9), other_port, stranger_port;
    int fd = peer_socket("127.0.0.1", &peer_port), other = peer_socket("127.0.0.1", &other_port);
    int stranger = peer_socket("127.0.0.2", &stranger_port);
    uint8_t sound[160], event[] = { 1, 10, 0, 160 };
    memset(sound, 0xff, sizeof sound);
    connect_leg(&a, 9, peer_port, RTP_PCMU, 101);
    say(fd, port, "garbage", 7);
    say(fd, port, "", 0);
    say_rtp(fd, port, 34, 1, 0, sound, 160);                    /* video */
    say_rtp(stranger, port, RTP_PCMU, 1, 0, sound, 160);        /* another host */
    usleep(60000);
    say_rtp(other, port, RTP_PCMU, 2, 160, sound, 160);         /* the peer, behind another port: it is followed */
    usleep(60000);
    say_rtp(fd, port, 101, 3, 320, event, 4);                   /* the signalled one is now a stranger */
    say_rtp(other, port, 101, 3, 320, event, 3);
    usleep(60000);
    uint8_t got[512];
    ssize_t n = recv(other, got, sizeof got, 0);                /* and is sent to */
    assert_int_equal(n, RTP_HEADER_OCTETS + 160);
    assert_int_equal(rtp_loop_close(a.rl, 9), ERR_NONE);
    struct rtp_loop_counters c = wait_for(&a, CLOSED, 9, 0).counters;
    assert_int_equal(c.malformed, 4);
    assert_int_equal(c.strangers, 2);
    assert_int_equal(c.received, 2);
    assert_int_equal(count_told(&a, TONE, 9), 0);
    close(fd);
    close(other);
    close(stranger);
}

static void a_leg_opens_once_and_ports_run_out_with_a_word(void **state)
{
    (void)state;
    static struct end few;
    uint16_t free_port;
    int fd = -1;
    do {                                            /* an even port that is free, as is the next even one, mostly */
        if (fd >= 0)
            close(fd);
        fd = peer_socket("127.0.0.1", &free_port);
    } while (free_port & 1 || free_port > 65000);
    end_init(&few, "127.0.0.1", free_port, free_port);          /* the only port, and it is taken */
    assert_int_equal(rtp_loop_open(few.rl, 1), ERR_NONE);
    assert_int_equal(wait_for(&few, OPENED, 1, 0).err, ERR_BUSY);
    close(fd);
    assert_int_equal(rtp_loop_open(few.rl, 2), ERR_NONE);
    assert_int_equal(wait_for(&few, OPENED, 2, 0).port, free_port);
    assert_int_equal(rtp_loop_open(few.rl, 2), ERR_NONE);
    assert_int_equal(wait_for(&few, OPENED, 2, 1).err, ERR_CONFLICT);
    end_done(&few);                                             /* tells the leg's end, too */

    struct rtp_loop *rl = NULL;
    struct problem why = { 0 };
    struct rtp_loop_conf conf = { .name = "rtp", .host = "localhost", .events = &events };
    assert_int_equal(rtp_loop_new(&rl, &conf, &why), ERR_RANGE);
    assert_non_null(strstr(why.text, "localhost"));
    conf.host = "127.0.0.1";
    conf.port_min = 20001;
    conf.port_max = 20001;
    assert_int_equal(rtp_loop_new(&rl, &conf, &why), ERR_RANGE);
}

static void a_peer_that_cannot_be_is_refused_at_once(void **state)
{
    (void)state;
    struct rtp_loop_peer peer = { .host = "example.org", .port = 4000 };
    assert_int_equal(rtp_loop_connect(a.rl, 1, &peer), ERR_RANGE);
    peer = (struct rtp_loop_peer){ .host = "127.0.0.1", .port = 0 };
    assert_int_equal(rtp_loop_connect(a.rl, 1, &peer), ERR_RANGE);
    peer = (struct rtp_loop_peer){ .host = "::1", .port = 4000 };
    assert_int_equal(rtp_loop_connect(a.rl, 1, &peer), ERR_RANGE);      /* the loop speaks IPv4 */
    peer = (struct rtp_loop_peer){ .host = "127.0.0.1", .port = 4000, .payload = 9 };
    assert_int_equal(rtp_loop_connect(a.rl, 1, &peer), ERR_RANGE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, two_ends, no_ends)
    const struct CMUnitTest tests[] = {
        TEST(a_prompt_played_in_mu_law_is_heard_at_the_other_end),
        TEST(a_prompt_played_in_a_law_is_heard_at_the_other_end),
        TEST(digits_as_telephone_events_are_told_once_each),
        TEST(digits_under_another_payload_number_are_told_once_each),
        TEST(digits_as_sound_are_told_once_each_where_there_are_no_events),
        TEST(the_same_digit_twice_is_two_presses),
        TEST(plays_wait_for_each_other_and_stop_when_told),
        TEST(what_waits_is_told_closed_when_the_leg_ends),
        TEST(gaps_and_disorder_are_put_right_by_timestamp),
        TEST(an_event_that_lost_or_repeated_packets_is_one_press),
        TEST(malformed_datagrams_and_strangers_are_counted_and_dropped),
        TEST(a_leg_opens_once_and_ports_run_out_with_a_word),
        TEST(a_peer_that_cannot_be_is_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
