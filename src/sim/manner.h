/* manner.h - how a telephone takes and makes its calls, in words: "answer-after=2s echo=dtmf".
 *
 * A manner is immutable once made and shared by count: a call keeps the one it began with. Thread: the simulator's loop. */
#pragma once
#include "base/base.h"
#include "base/problem.h"

struct audio;
struct jw;

enum { MANNER_NEVER = -1, MANNER_KEYS_MAX = 32, MANNER_HEARD_MS = 500, MANNER_DEAF_MS = 5000 };
enum manner_way  { MANNER_BOTH_WAYS, MANNER_SENDS, MANNER_RECEIVES };
enum manner_echo { MANNER_NO_ECHO, MANNER_ECHO_DTMF, MANNER_ECHO_AUDIO };

/* key, what it takes, what it is untold, words for people. The readers are manner.c's read_<key>(). */
#define MANNERS(M)                                                                                                      \
    M(answer_after, "TIME|never",            "1s",     "rings this long, then answers")                                 \
    M(refuse,       "STATUS[/CAUSE]",        "no",     "refuses with this SIP status and Q.850 cause")                  \
    M(refuse_after, "TIME",                  "0",      "rings this long, then refuses; with early media 3s")            \
    M(early_media,  "FILE|ringback|busy|tone", "none", "is heard by 183 before it answers, over and over")              \
    M(say,          "FILE|ringback|busy|tone", "none", "says this once answered")                                       \
    M(press,        "KEYS|caller",           "none",   "presses these once answered; caller: the caller's number and #") \
    M(press_after,  "TIME|heard",            "0",      "when; heard: after half a second of sound, or 5s without")      \
    M(drop_after,   "TIME|never",            "never",  "hangs up this long after the answer")                           \
    M(one_way,      "send|receive",          "no",     "send: hears nothing; receive: sends no RTP")                    \
    M(echo,         "dtmf|audio",            "no",     "repeats the keys, or the sound, that it hears")                 \
    M(record,       "FILE|on",               "no",     "writes what it hears; on: into the data folder")                \
    M(loss,         "PERCENT",               "0%",     "of the packets it sends is lost")                               \
    M(delay,        "TIME",                  "0",      "its packets come this much later, up to 1s")                    \
    M(jitter,       "TIME",                  "0",      "each of its packets comes up to this much later, up to 1s")     \
    M(transport,    "udp|tcp",               "udp",    "of the calls it makes")

#define MANNER_ENUM(key, takes, untold, words) MANNER_KEY_##key,
enum manner_key { MANNERS(MANNER_ENUM) MANNER_N_KEYS };
#undef MANNER_ENUM

struct manner {
    unsigned      refs;
    char         *given[MANNER_N_KEYS];     /* the words as they were said; NULL: untold */
    int           answer_ms;                /* MANNER_NEVER */
    int           refuse_status, refuse_q850;   /* 0: does not refuse; 0: no cause */
    int           refuse_ms;
    struct audio *early, *say;              /* NULL: none */
    char          press[MANNER_KEYS_MAX + 1];
    bool          press_caller, press_heard;
    int           press_ms;
    int           drop_ms;                  /* MANNER_NEVER */
    enum manner_way  way;
    enum manner_echo echo;
    char         *record;                   /* a path; "": a file of its own; NULL: not recorded */
    int           loss_permille, delay_ms, jitter_ms;
    bool          tcp;
};

/** `old` (NULL: kind) with these words changed: KEY=VALUE each, KEY= takes one back.
 *  @return ERR_RANGE with `why`, ERR_NOMEM */
MUST_USE enum err manner_with(struct manner **out, const struct manner *old, const struct str *words, size_t n, struct problem *why);
/** The same from words with blanks between. */
MUST_USE enum err manner_of_text(struct manner **out, struct str text, struct problem *why);
struct manner *manner_ref(struct manner *m);
void manner_unref(struct manner *m);        /* NULL is fine */
bool manner_is_kind(const struct manner *m);    /* nothing was said */
/** "behaviour":["answer-after=2s", ...] */
void manner_write(const struct manner *m, struct jw *w);
/** The Q.850 cause that goes with a SIP status (RFC 3398, 8.2.6.1); 0: none. */
int manner_cause_of(int status);
/** The i-th key for people: false behind the last. */
struct manner_help { char key[16]; const char *takes, *untold, *words; };
bool manner_help(size_t i, struct manner_help *out);
