/* sim.h - the simulated networks: an SMSC on a real SMPP socket, a phone network on real SIP and RTP sockets.
 *
 * Peers of the product, never a shortcut inside it: they may use net/, codec/ and base/ only, run on threads of their own
 * and are reached through sockets alone, except for this operator interface that drives handsets and faults.
 * Every function here may be called from any thread and does not block: an answer comes by its `done`, called on the
 * simulator's thread. */
#pragma once
#include "base/base.h"
#include "base/buf.h"
#include "base/problem.h"

struct sim;
struct smsc_ways;
struct sim_conf {
    const char *smpp_host; uint16_t smpp_port;      /* 0: a free port; sim_smpp_port() tells */
    const char *sip_host;  uint16_t sip_port;       /* UDP and TCP */
    const char *inbound_host; uint16_t inbound_port;    /* where handset calls go (the product's SIP); port may be set later */
    uint16_t    rtp_min, rtp_max;                   /* 0, 0: any free port */
    const struct smsc_ways *smsc;                   /* how the SMSC behaves (sim/smsc_ways.h); NULL: the defaults; copied */
    const char *accepted_log;                       /* file: one line per accepted submit_sm (crash tests), or NULL */
    const char *handsets;                           /* "NUMBER KEY=VALUE ...; * KEY=VALUE ..." (sim/manner.h), or NULL */
    const char *folder;                             /* where handsets that record by themselves put it; NULL: nowhere */
    uint64_t    seed;
};
/** @return ERR_NONE, ERR_CONFLICT (`why`: a port is in use), ERR_IO (`why`), ERR_NOMEM */
MUST_USE enum err sim_new(struct sim **out, const struct sim_conf *conf, struct problem *why);
MUST_USE enum err sim_start(struct sim *s, struct problem *why);
void sim_free(struct sim *s);               /* stops its threads */
SCOPED_FREE(sim)
uint16_t sim_smpp_port(const struct sim *s);
uint16_t sim_sip_port(const struct sim *s);
/** The SMSC behaves so from now on. Copied. */
void sim_set_smsc(struct sim *s, const struct smsc_ways *ways);
void sim_set_inbound(struct sim *s, const char *host, uint16_t port);

/* One command to the networks, in words an operator API passes through:
 *   "handset.list"    {"number"|absent}                         -> {"value":[{"number","attached","state","peer","messages",
 *                         "call"|"lastCall":{"peer","direction","begunAt","endedAt","sipStatus","q850","keysHeard",
 *                         "packets":{"sent","received","lost"}},"recording","behaviour":["answer-after=2s"]}],"count"}
 *                         : state idle, dialling, ringing or connected; the last touched first
 *   "handset.sms"     {"number","to","text"}                    -> {} : an SMS from the handset
 *   "handset.inbox"   {"number"}                                -> {"value":[{"from","text","receivedAt"}]}
 *   "handset.attach"  {"number"}                                -> {} : it rings until told; "handset.detach" undoes it
 *   "handset.answer"  {"number","record":"/path.wav"|absent}    -> {} : answer what rings, or will ring
 *                         (which attaches it); "record", here, in attach and in dial: for its next answered call
 *   "handset.press"   {"number","digits"}                       -> {}
 *   "handset.hangup"  {"number"}                                -> {} : its call ends; one that rings is declined (603)
 *   "handset.reject"  {"number","status"|absent,"q850"|absent}  -> {} : refuse what rings, with this
 *   "handset.say"     {"number","sound"}                        -> {} : say a WAV file (or ringback, busy, tone) in its call
 *   "handset.record"  {"number","record"}                       -> {} : its call from now on, or its next one
 *   "handset.set"     {"number","behaviour":["answer-after=2s"]} -> {"number","behaviour"} : from its next call on; "*": all
 *                         who were told nothing themselves; "handset.clear" {"number"|absent: all} undoes it
 *   "handset.behaviours" {}                                     -> {"value":[{"key","takes","untold","words"}],"behaviour"}: of "*"
 *   "handset.dial"    {"number","to","record"|absent,"headers"|absent}  -> {} : call the product; headers are an object of
 *                         User-To-User and X-MS-Custom-*
 *   "handset.recording" {"number"}                              -> {"path"} of the last finished recording
 *   "smsc.show"       {}                                        -> {"settings":{...},"binds":[...],"counts":{...},...}
 *   "smsc.set"        settings by name, null: the default       -> as smsc.show; "smsc.reset" {}: all the defaults
 *   "smsc.cut"        {"systemId"|absent}                       -> {"cut"}: how many links
 *   "smsc.outage"     {"for":"10s"}                             -> {} : "0" ends it
 *   "smsc.inject"     {"from","to","text","count","rate","senders"} -> {} : many messages from handsets
 *   "sim.save"        {}                                        -> {...} : all of it for a snapshot, but calls; "sim.load" with what
 *                         that said, or "sim.clear" {}, which is as at the start
 * @param args  a JSON object
 * @param done  err ERR_NONE with a JSON object in `answer`, or an error with `why`. */
typedef void sim_done_fn(void *arg, enum err err, struct str answer, const struct problem *why);
MUST_USE enum err sim_command(struct sim *s, struct str verb, struct str args, sim_done_fn *done, void *arg);
