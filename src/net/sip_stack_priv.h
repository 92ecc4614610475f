/* sip_stack_priv.h - what sip_stack.c (agent, thread, commands), sip_call.c (one call's states) and sip_text.c (URIs and
 * headers) share. Everything here runs on the stack's own thread. The only headers of ours that show sofia-sip. */
#pragma once
#include "net/sip_stack.h"

struct sip_call;
#define NTA_AGENT_MAGIC_T    struct sip_stack
#define NTA_LEG_MAGIC_T      struct sip_call
#define NTA_OUTGOING_MAGIC_T struct sip_call
#define NTA_INCOMING_MAGIC_T struct sip_call
#define SU_ROOT_MAGIC_T      struct sip_stack
#define SU_WAKEUP_ARG_T      struct sip_stack
#define SU_TIMER_ARG_T       void
#include <sofia-sip/su_wait.h>
#include <sofia-sip/nta.h>
#include <sofia-sip/nta_stateless.h>
#include <sofia-sip/nta_tport.h>
#include <sofia-sip/msg_addr.h>
#include <sofia-sip/sip_header.h>
#include <sofia-sip/sip_protos.h>
#include <sofia-sip/sip_status.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sip_util.h>

#include <pthread.h>
#include <stdatomic.h>

enum { SIP_USER_SIZE = 72, SIP_DISPLAY_SIZE = 96, SIP_URI_SIZE = 192, SIP_REASON_SIZE = 48, SIP_NAME_SIZE = 256 };

struct sip_stack {
    struct sip_stack_conf conf;         /* its strings point at the copies below */
    char                  name[16], host[SDP_HOST_SIZE], advertise[SIP_NAME_SIZE], user_agent[64];
    uint16_t              port;
    struct inbox         *inbox;
    su_root_t            *root;
    nta_agent_t          *agent;
    int                   inbox_wait;   /* su_root's index of the inbox's descriptor; 0: not registered */
    su_timer_t           *grace;
    pthread_t             thread;
    bool                  running, stopping;
    _Atomic bool          closed;
    struct map           *by_id;        /* calls that the owner may still name */
    struct sip_call      *calls;        /* all of them, also those that only wait for a peer's last word */
    size_t                n_calls;
    struct {
        _Atomic uint64_t malformed, unknown_dialog, unknown_method, shed, refused, missed_commands, impossible, calls;
    } count;
};

/* -- sip_call.c ---------------------------------------------------------------------------------------------------- */

#define SIP_STATES(S)       /* state, its timer */                                                  \
    S(CALLING,   RING)      /* our INVITE is out, nothing heard */                                  \
    S(HEARD,     KEEP)      /* 1xx heard */                                                         \
    S(CANCELLED, LINGER)    /* given up (the owner knows); the final response is awaited */         \
    S(OFFERED,   RING)      /* their INVITE waits for our word */                                   \
    S(ACCEPTED,  NONE)      /* our 200 is out; nta waits for the ACK (timer H) */                   \
    S(PARTING,   NONE)      /* as ACCEPTED, and a BYE must follow the ACK (RFC 3261, 15) */         \
    S(UP,        NONE)                                                                              \
    S(LEAVING,   LINGER)    /* our BYE is out */                                                    \
    S(GONE,      SOON)      /* freed by its timer, outside of nta's callbacks */

#define SIP_CUES(E)                                                                                 \
    E(RING) E(ANSWER) E(REJECT) E(HANGUP) E(ABANDON)    /* the owner's commands */                  \
    E(PROVISIONAL) E(ACCEPT) E(MISFIT) E(REFUSE)        /* of our INVITE; MISFIT: 2xx without usable media */ \
    E(CHALLENGE)                                        /* 401 or 407 that we can answer, once */   \
    E(CANCEL) E(ACK) E(ACK_LOST)                        /* of their INVITE */                       \
    E(BYE) E(REINVITE)                                  /* requests within the call */              \
    E(BYE_DONE) E(TIMER)

#define SIP_STATE_ENUM(state, timer) SIP_##state,
#define SIP_CUE_ENUM(cue)            CUE_##cue,
enum sip_state { SIP_STATES(SIP_STATE_ENUM) SIP_N_STATES };
enum sip_cue_kind { SIP_CUES(SIP_CUE_ENUM) SIP_N_CUES };

/* One event with what it is about; what does not apply is zero. */
struct sip_cue {
    enum sip_cue_kind kind;
    int               status, q850;
    const char       *words;            /* reason phrase of a response */
    bool              internal;         /* nta made the response itself: nobody answered */
    const char       *body;             /* SDP to send */
    const char       *credentials;      /* CHALLENGE: the header line that answers it */
    struct sdp_audio  remote;           /* what the peer's SDP means, when has_remote */
    bool              has_remote;
    const sip_t      *sip;
    nta_incoming_t   *request;          /* BYE, REINVITE: to be answered by the action */
};

struct sip_invite_plan;
struct sip_call {
    struct sip_stack  *stack;
    struct sip_call   *prev, *next;
    uint64_t           id;
    bool               told;            /* on_ended() was called; the id is no longer known */
    enum sip_state     state;
    enum sip_transport transport;
    nta_leg_t         *leg;
    nta_outgoing_t    *invite, *bye;
    nta_incoming_t    *offered;         /* their INVITE or re-INVITE that still needs an answer or its ACK */
    su_timer_t        *timer;
    int64_t            ring_ms;
    struct sdp_origin  origin;
    struct sdp_audio   local, remote;
    char              *offer;           /* their SDP, while it must be answered */
    struct sip_invite_plan *plan;       /* of an outgoing call */
    bool               challenged, bye_challenged;
};

struct sip_invite_plan {                /* the stack's copy of a struct sip_invite */
    uint64_t           call;
    char               host[SDP_HOST_SIZE];
    uint16_t           port;
    enum sip_transport transport;
    char               to[SIP_USER_SIZE], from[SIP_USER_SIZE], display[SIP_DISPLAY_SIZE];
    char               user[SIP_USER_SIZE], password[SIP_USER_SIZE];
    char               context[SIP_CONTEXT_SIZE];
    struct sdp_audio   local;
    int64_t            ring_us;
};

/** Make an outgoing call; its on_ended() is called when that fails. */
void sip_call_start(struct sip_stack *s, const struct sip_invite_plan *plan);
/** Take over their INVITE; msg is consumed. offer: their SDP. @return ERR_NONE, ERR_NOMEM */
MUST_USE enum err sip_call_take(struct sip_stack *s, uint64_t id, msg_t *msg, sip_t *sip, struct str offer,
                                const struct sdp_audio *remote);
/** The owner's commands, decided and fed. local may be NULL. */
void sip_call_command(struct sip_call *c, enum sip_cue_kind kind, const struct sdp_audio *local, int status, int q850);
/** For the end of the stack: tell and free whatever is left. */
void sip_call_free_all(struct sip_stack *s);

/* -- sip_text.c ---------------------------------------------------------------------------------------------------- */

/** "sip:user@host:port;user=phone" and friends; dst holds SIP_URI_SIZE. */
void sip_uri_write(char *dst, const char *user, const char *host, uint16_t port, enum sip_transport transport, bool phone);
/** `"Name" <uri>`; dst holds SIP_URI_SIZE + 2 * SIP_DISPLAY_SIZE. */
void sip_name_addr_write(char *dst, size_t size, const char *display, const char *uri);
/** "Q.850;cause=N", or NULL when q850 is 0: ready for SIPTAG_REASON_STR(). */
const char *sip_reason_write(char dst[SIP_REASON_SIZE], int q850);
int  sip_reason_read(const sip_reason_t *reason);              /* the Q.850 cause, or 0 */
/** User part without parameters and visual separators (RFC 3966, 5.1.1), unescaped. dst holds SIP_USER_SIZE. */
void sip_user_read(char *dst, const url_t *url);
void sip_display_read(char dst[SIP_DISPLAY_SIZE], const char *quoted);
/** Of the INVITE's headers those of codec/sip/context.h; dst holds SIP_CONTEXT_SIZE. */
void sip_context_read(char *dst, const sip_t *sip);
/** Is this a user part that we can put into a URI as it is? */
bool sip_user_valid(struct str user);
struct str sip_body(const sip_t *sip);
bool sip_credentials_valid(struct str user, struct str password);
/** "Authorization: Digest ..." or "Proxy-Authorization: ..." for the challenge in a 401 or 407 to this request.
 *  @return ERR_NONE, ERR_NOMEM, ERR_ABSENT (no challenge that we can answer) */
MUST_USE enum err sip_credentials_write(struct buf *out, const sip_t *response, nta_outgoing_t *request,
                                        const struct sip_invite_plan *plan);
/** The user of P-Asserted-Identity (RFC 3325); empty when absent. dst holds SIP_USER_SIZE. */
void sip_asserted_read(char *dst, const sip_t *sip);
/** Numeric source address of a received message. */
void sip_source(msg_t *msg, char host[SDP_HOST_SIZE], uint16_t *port);

extern const char sip_allow[];          /* the methods we take, for Allow */
