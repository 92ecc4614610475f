/* smpp.h - SMPP 3.4 protocol data units: bytes <-> structs, and the text of delivery receipts.
 *
 * Any thread; no sockets, clock or log. What a reader gives borrows from the PDU's bytes. Readers are liberal, writers
 * strict; each tolerance is one line where it happens. (Short Message Peer to Peer Protocol Specification v3.4) */
#pragma once
#include "base/base.h"
#include "base/buf.h"
#include "base/rdwr.h"

enum { SMPP_HEAD_OCTETS = 16, SMPP_PDU_MAX = 65536, SMPP_VERSION_34 = 0x34, SMPP_SHORT_MESSAGE_MAX = 254 };

/* name, command_id (5.1.2.1), what its body is, is a body required? A response that refuses may come without. */
#define SMPP_COMMANDS(C)                                            \
    C(generic_nack,          0x80000000, SMPP_BODY_NONE)            \
    C(bind_receiver,         0x00000001, SMPP_BODY_BIND)            \
    C(bind_receiver_resp,    0x80000001, SMPP_BODY_BIND_RESP)       \
    C(bind_transmitter,      0x00000002, SMPP_BODY_BIND)            \
    C(bind_transmitter_resp, 0x80000002, SMPP_BODY_BIND_RESP)       \
    C(query_sm,              0x00000003, SMPP_BODY_QUERY)           \
    C(query_sm_resp,         0x80000003, SMPP_BODY_QUERY_RESP)      \
    C(submit_sm,             0x00000004, SMPP_BODY_SM)              \
    C(submit_sm_resp,        0x80000004, SMPP_BODY_SM_RESP)         \
    C(deliver_sm,            0x00000005, SMPP_BODY_SM)              \
    C(deliver_sm_resp,       0x80000005, SMPP_BODY_SM_RESP)         \
    C(unbind,                0x00000006, SMPP_BODY_NONE)            \
    C(unbind_resp,           0x80000006, SMPP_BODY_NONE)            \
    C(replace_sm,            0x00000007, SMPP_BODY_REPLACE)         \
    C(replace_sm_resp,       0x80000007, SMPP_BODY_NONE)            \
    C(cancel_sm,             0x00000008, SMPP_BODY_CANCEL)          \
    C(cancel_sm_resp,        0x80000008, SMPP_BODY_NONE)            \
    C(bind_transceiver,      0x00000009, SMPP_BODY_BIND)            \
    C(bind_transceiver_resp, 0x80000009, SMPP_BODY_BIND_RESP)       \
    C(enquire_link,          0x00000015, SMPP_BODY_NONE)            \
    C(enquire_link_resp,     0x80000015, SMPP_BODY_NONE)            \
    C(submit_multi,          0x00000021, SMPP_BODY_MULTI)           \
    C(submit_multi_resp,     0x80000021, SMPP_BODY_MULTI_RESP)      \
    C(data_sm,               0x00000103, SMPP_BODY_DATA)            \
    C(data_sm_resp,          0x80000103, SMPP_BODY_SM_RESP)

enum smpp_body { SMPP_BODY_NONE, SMPP_BODY_BIND, SMPP_BODY_BIND_RESP, SMPP_BODY_SM, SMPP_BODY_SM_RESP, SMPP_BODY_DATA,
                 SMPP_BODY_MULTI, SMPP_BODY_MULTI_RESP, SMPP_BODY_QUERY, SMPP_BODY_QUERY_RESP, SMPP_BODY_CANCEL,
                 SMPP_BODY_REPLACE };
#define SMPP_C_ENUM(name, id, body) SMPP_##name = id,       /* beyond int: both our compilers make the enum unsigned */
enum smpp_command { SMPP_COMMANDS(SMPP_C_ENUM) };
#undef SMPP_C_ENUM

/* command_status (5.1.3): the ones we say or act on. */
#define SMPP_STATUSES(S)                                            \
    S(ESME_ROK, 0x00)           S(ESME_RINVMSGLEN, 0x01)    S(ESME_RINVCMDLEN, 0x02)    S(ESME_RINVCMDID, 0x03)     \
    S(ESME_RINVBNDSTS, 0x04)    S(ESME_RALYBND, 0x05)       S(ESME_RSYSERR, 0x08)       S(ESME_RINVSRCADR, 0x0a)    \
    S(ESME_RINVDSTADR, 0x0b)    S(ESME_RINVMSGID, 0x0c)     S(ESME_RBINDFAIL, 0x0d)     S(ESME_RINVPASWD, 0x0e)     \
    S(ESME_RINVSYSID, 0x0f)     S(ESME_RCANCELFAIL, 0x11)   S(ESME_RREPLACEFAIL, 0x13)  S(ESME_RMSGQFUL, 0x14)      \
    S(ESME_RINVNUMDESTS, 0x33)  S(ESME_RINVDLNAME, 0x34)    S(ESME_RINVESMCLASS, 0x43)  S(ESME_RSUBMITFAIL, 0x45)   \
    S(ESME_RTHROTTLED, 0x58)    S(ESME_RINVSCHED, 0x61)     S(ESME_RINVEXPIRY, 0x62)    S(ESME_RINVDFTMSGID, 0x63)  \
    S(ESME_RINVREGDLVFLG, 0x07) S(ESME_RX_T_APPN, 0x64)                                                             \
    S(ESME_RX_P_APPN, 0x65)     S(ESME_RX_R_APPN, 0x66)     S(ESME_RQUERYFAIL, 0x67)    S(ESME_RUNKNOWNERR, 0xff)
#define SMPP_S_ENUM(name, code) name = code,
enum smpp_status { SMPP_STATUSES(SMPP_S_ENUM) };
#undef SMPP_S_ENUM

/* type of number, numbering plan (5.2.5, 5.2.6); bits of esm_class (5.2.12) */
enum { TON_UNKNOWN = 0, TON_INTERNATIONAL = 1, TON_NETWORK = 3, TON_ALPHANUMERIC = 5, NPI_UNKNOWN = 0, NPI_ISDN = 1 };
enum { ESM_RECEIPT = 0x04, ESM_INTERMEDIATE = 0x20, ESM_TYPE_BITS = 0x3c, ESM_UDHI = 0x40 };

/* message_state (5.2.28) */
enum smpp_state { SMPP_ENROUTE = 1, SMPP_DELIVERED, SMPP_EXPIRED, SMPP_DELETED, SMPP_UNDELIVERABLE, SMPP_ACCEPTED,
                  SMPP_UNKNOWN, SMPP_REJECTED };

/* -- bodies: sizes in octets, the NUL of a CSTR too --------------------------------------------------------------- */
#define SMPP_BIND(U8, CSTR, OCTETS)         /* 4.1 */                                                   \
    CSTR(system_id, 16)  CSTR(password, 9)  CSTR(system_type, 13)                                       \
    U8(interface_version)  U8(addr_ton)  U8(addr_npi)  CSTR(address_range, 41)
#define SMPP_BIND_RESP_(U8, CSTR, OCTETS)   /* 4.1 */                                                   \
    CSTR(system_id, 16)
#define SMPP_SM_FROM(U8, CSTR, OCTETS)                                                                  \
    CSTR(service_type, 6)                                                                               \
    U8(source_addr_ton)  U8(source_addr_npi)  CSTR(source_addr, 21)
#define SMPP_SM_WHAT(U8, CSTR, OCTETS)                                                                  \
    U8(esm_class)  U8(protocol_id)  U8(priority_flag)                                                   \
    CSTR(schedule_delivery_time, 17)  CSTR(validity_period, 17)                                         \
    U8(registered_delivery)  U8(replace_if_present_flag)  U8(data_coding)  U8(sm_default_msg_id)        \
    OCTETS(short_message, 254)
#define SMPP_SM(U8, CSTR, OCTETS)           /* 4.4.1 submit_sm, 4.6.1 deliver_sm; 4.5.1 submit_multi but for the dests */ \
    SMPP_SM_FROM(U8, CSTR, OCTETS)                                                                      \
    U8(dest_addr_ton)    U8(dest_addr_npi)    CSTR(destination_addr, 21)                                \
    SMPP_SM_WHAT(U8, CSTR, OCTETS)
#define SMPP_DATA(U8, CSTR, OCTETS)         /* 4.7.1: fields of SMPP_SM, addresses may be longer; its text is a TLV */ \
    CSTR(service_type, 6)                                                                               \
    U8(source_addr_ton)  U8(source_addr_npi)  CSTR(source_addr, 65)                                     \
    U8(dest_addr_ton)    U8(dest_addr_npi)    CSTR(destination_addr, 65)                                \
    U8(esm_class)  U8(registered_delivery)  U8(data_coding)
#define SMPP_SM_RESP_(U8, CSTR, OCTETS)     /* 4.4.2, 4.6.2 */                                          \
    CSTR(message_id, 65)

#define SMPP_QUERY(U8, CSTR, OCTETS)        /* 4.8.1 */                                                 \
    CSTR(message_id, 65)  U8(source_addr_ton)  U8(source_addr_npi)  CSTR(source_addr, 21)
#define SMPP_QUERY_RESP_(U8, CSTR, OCTETS)  /* 4.8.2 */                                                 \
    CSTR(message_id, 65)  CSTR(final_date, 17)  U8(message_state)  U8(error_code)
#define SMPP_CANCEL(U8, CSTR, OCTETS)       /* 4.9.1 */                                                 \
    CSTR(service_type, 6)  CSTR(message_id, 65)                                                         \
    U8(source_addr_ton)  U8(source_addr_npi)  CSTR(source_addr, 21)                                     \
    U8(dest_addr_ton)    U8(dest_addr_npi)    CSTR(destination_addr, 21)
#define SMPP_REPLACE(U8, CSTR, OCTETS)      /* 4.10.1 */                                                \
    CSTR(message_id, 65)  U8(source_addr_ton)  U8(source_addr_npi)  CSTR(source_addr, 21)               \
    CSTR(schedule_delivery_time, 17)  CSTR(validity_period, 17)                                         \
    U8(registered_delivery)  U8(sm_default_msg_id)  OCTETS(short_message, 254)

/* tag (5.3.2), name, octets of an integer or the most of a string */
#define SMPP_TLVS(INT, CSTR, OCTETS)                                                                    \
    INT(0x0204, user_message_reference, 2)  INT(0x020c, sar_msg_ref_num, 2)                             \
    INT(0x020e, sar_total_segments, 1)      INT(0x020f, sar_segment_seqnum, 1)                          \
    INT(0x0210, sc_interface_version, 1)    INT(0x0427, message_state, 1)                               \
    CSTR(0x001e, receipted_message_id, 65)  OCTETS(0x0423, network_error_code, 3)                       \
    OCTETS(0x0424, message_payload, 65535)

#define SMPP_F_U8(name)        uint8_t name;
#define SMPP_F_STR(name, size) struct str name;
struct smpp_bind      { SMPP_BIND(SMPP_F_U8, SMPP_F_STR, SMPP_F_STR) };
struct smpp_bind_resp { SMPP_BIND_RESP_(SMPP_F_U8, SMPP_F_STR, SMPP_F_STR) };
struct smpp_sm        { SMPP_SM(SMPP_F_U8, SMPP_F_STR, SMPP_F_STR) };
struct smpp_sm_resp   { SMPP_SM_RESP_(SMPP_F_U8, SMPP_F_STR, SMPP_F_STR) };
struct smpp_query     { SMPP_QUERY(SMPP_F_U8, SMPP_F_STR, SMPP_F_STR) };
struct smpp_query_resp { SMPP_QUERY_RESP_(SMPP_F_U8, SMPP_F_STR, SMPP_F_STR) };
struct smpp_cancel    { SMPP_CANCEL(SMPP_F_U8, SMPP_F_STR, SMPP_F_STR) };
struct smpp_replace   { SMPP_REPLACE(SMPP_F_U8, SMPP_F_STR, SMPP_F_STR) };
#undef SMPP_F_U8
#undef SMPP_F_STR

#define SMPP_F_INT(tag, name, octets) uint16_t name; bool has_##name;
#define SMPP_F_TSTR(tag, name, most)  struct str name; bool has_##name;
struct smpp_tlvs { SMPP_TLVS(SMPP_F_INT, SMPP_F_TSTR, SMPP_F_TSTR) };
#undef SMPP_F_INT
#undef SMPP_F_TSTR

struct smpp_pdu {
    uint32_t command;           /* enum smpp_command, or one we do not know */
    uint32_t status, sequence;
    union {
        struct smpp_bind      bind;
        struct smpp_bind_resp bind_resp;
        struct smpp_sm        sm;       /* submit_sm, deliver_sm, data_sm, submit_multi */
        struct smpp_sm_resp   sm_resp;  /* their responses */
        struct smpp_query     query;
        struct smpp_query_resp query_resp;
        struct smpp_cancel    cancel;
        struct smpp_replace   replace;
    };
    uint8_t    n_dests;         /* submit_multi: dest_address; submit_multi_resp: unsuccess_sme */
    struct str dests;           /* as on the wire: smpp_dest_next(), smpp_unsuccess_next() */
    struct smpp_tlvs tlvs;
    struct str further;         /* read: all TLVs as on the wire, when there is one that SMPP_TLVS does not list; else empty */
    struct str more_tlvs;       /* written behind them, as they are: vendors' own */
};

/** How long is the PDU that starts here? *pdu_n is 0 while fewer than its own octets have come.
 *  @return ERR_NONE; ERR_SIZE: a length under 16 or over SMPP_PDU_MAX, the stream cannot be followed any more */
MUST_USE enum err smpp_frame(const void *p, size_t n, size_t *pdu_n);

/** Read one whole PDU. command, status and sequence are set whatever comes back, so that it can be answered.
 *  @return ERR_NONE, ERR_SYNTAX (its body), ERR_ABSENT (an unknown command_id) */
MUST_USE enum err smpp_read(struct smpp_pdu *out, const void *p, size_t n);
/** Write one, command_length too; nothing is left in `w` on error.
 *  @return ERR_NONE, ERR_RANGE (a field longer than the specification allows, or a NUL inside a string),
 *  ERR_SIZE (w is full), ERR_ABSENT (unknown command) */
MUST_USE enum err smpp_write(struct wr *w, const struct smpp_pdu *pdu);

/** "submit_sm", "ESME_RTHROTTLED"; "?" for the unknown. */
const char *smpp_command_name(uint32_t command);
const char *smpp_status_name(uint32_t status);
/** Back: a name, or a number such as 0x58. @return ERR_SYNTAX */
MUST_USE enum err smpp_status_read(struct str text, uint32_t *out);
static inline bool     smpp_is_resp(uint32_t command) { return command >> 31; }
static inline uint32_t smpp_resp_to(uint32_t command) { return command | 0x80000000u; }

/** The next TLV of pdu->further, read by rd_of(), that SMPP_TLVS does not list. False at the end. */
bool smpp_further_next(struct rd *r, uint16_t *tag, struct str *value);
enum { SMPP_FURTHER_SHOWN = 8, SMPP_FURTHER_OCTETS = 64 };
/** Append them for people, "0x1401=text 0x1402=hex:0a0b": so many at most, and so much of each. ASCII without control characters. */
void smpp_further_words(struct buf *out, const struct smpp_pdu *pdu);

/** The text octets of a submit_sm or deliver_sm: message_payload where present, else short_message. */
struct str smpp_sm_octets(const struct smpp_pdu *pdu);

/* -- addresses (5.2.5 to 5.2.9) -------------------------------------------------------------------------------------- */
enum { SMPP_NUMBER_SIZE = 32 };
struct smpp_addr {
    uint8_t    ton, npi;
    struct str addr;
};
/** From a number as the product writes it: E.164 with '+', a short code of digits, or a sender's name. Borrows. */
struct smpp_addr smpp_addr_of(struct str number);
/** Back: '+' before international digits. dst holds SMPP_NUMBER_SIZE and is terminated.  its length, cut to fit */
size_t smpp_addr_number(char *dst, uint8_t ton, struct str addr);

/* -- the lists of submit_multi (4.5.1) and its response (4.5.2): multi.c --------------------------------------------- */
enum { SMPP_DESTS_MAX = 254 };
struct smpp_dest {
    struct smpp_addr addr;
    struct str       list;      /* the name of a distribution list; then addr is empty */
    uint32_t         status;    /* unsuccess_sme: why not */
};
/** The next of dests, read by rd_of(pdu->dests...). False at the end, or where they are malformed (r->bad). */
bool smpp_dest_next(struct rd *r, struct smpp_dest *out);
void smpp_dest_put(struct wr *w, const struct smpp_dest *dest);
bool smpp_unsuccess_next(struct rd *r, struct smpp_dest *out);
void smpp_unsuccess_put(struct wr *w, const struct smpp_dest *dest);

/* -- times (7.1.1): "YYMMDDhhmmsstnnp", microseconds since 1970 ------------------------------------------------------ */
enum { SMPP_TIME_SIZE = 17 };
/** @param now_us  what a relative time starts from  @return ERR_NONE, ERR_SYNTAX */
MUST_USE enum err smpp_time_read(struct str text, int64_t now_us, int64_t *at_us);
void smpp_time_write(char dst[SMPP_TIME_SIZE], int64_t at_us);     /* absolute, UTC */

/* -- delivery receipts (appendix B) ------------------------------------------------------------------------------- */
struct smpp_receipt {
    struct str      id;         /* as the SMSC wrote it */
    enum smpp_state state;
    uint32_t        err;        /* the err: field, or network_error_code; 0 when absent or not a number */
};
/** TLVs first (receipted_message_id, message_state, network_error_code), the text for what they leave out.
 *  @return ERR_NONE, ERR_SYNTAX (no id anywhere) */
MUST_USE enum err smpp_receipt_read(struct smpp_receipt *out, const struct smpp_pdu *deliver_sm);
/** Only the text: "id:... sub:... dlvrd:... submit date:... done date:... stat:... err:... text:...". */
MUST_USE enum err smpp_receipt_text_read(struct smpp_receipt *out, struct str text);
/** Append that text. Times are microseconds since 1970; `text` is cut to 20 octets. */
void smpp_receipt_text_write(struct buf *out, const struct smpp_receipt *receipt, int64_t submit_us, int64_t done_us,
                             struct str text);
/** Is this deliver_sm a receipt? By esm_class; one without the bits but with receipted_message_id counts too. */
bool smpp_is_receipt(const struct smpp_pdu *deliver_sm);
