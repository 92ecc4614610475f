/* libsmpp34 as a peer on real sockets: each PDU that comes is read by it, written again by it, and must be the same octets; each PDU
 * that goes is written by it. What to say and what is expected is the business of the script on the other side of the pipes.
 *
 *   strict34                        its standard input, a line each:
 *       listen                              says "port N"; each connection is a link: "LINK open"
 *       connect PORT                        the same, from us; loopback both
 *       LINK COMMAND FIELD=VALUE ...        a PDU; fields that are not named are 0 or empty. LINK close: hang up
 *   its standard output:
 *       LINK COMMAND FIELD=VALUE ...        a PDU that came, all its fields
 *       LINK gone
 * Fields have libsmpp34's names (the specification's). VALUE: a number; octets, those that are no letter, digit or +-_.: as %XX;
 * tlv:TAG=HEX for each TLV; dest=TON,NPI,ADDRESS or dest=list,NAME and unsuccess=TON,NPI,ADDRESS,STATUS, repeated. What libsmpp34 does
 * not like ends this program with 1, and words on standard error. Ends with its standard input. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <libsmpp34/smpp34.h>
#include <libsmpp34/smpp34_structs.h>
#include <libsmpp34/smpp34_params.h>

enum { LINKS = 32, OCTETS = 16384, HEAD = 16, VALUES = 4096 };

static void fail(const char *what, const char *words)
{
    fprintf(stderr, "strict34: %s: %s\n", what, words);
    fflush(stdout);
    exit(1);
}

/* -- one walk over the fields of each PDU: libsmpp34's own list of them, printed or filled ----------------------------------- */
struct visit {
    FILE *print;                    /* NULL: fill */
    char *name, *value;             /* fill: the field to be filled */
    int   hits;
};

static void put_octets(FILE *to, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (isalnum(p[i]) || (p[i] && strchr("+-_.:", p[i])))
            putc(p[i], to);
        else
            fprintf(to, "%%%02X", p[i]);
}

static unsigned hex_at(const char *s)
{
    char pair[3] = { s[0], s[0] ? s[1] : 0, 0 };
    return (unsigned)strtoul(pair, NULL, 16);
}

static size_t take_octets(uint8_t *dst, size_t size, const char *s)
{
    size_t n = 0;
    for (; *s; s++) {
        if (n == size)
            fail("too long", s);
        dst[n++] = (uint8_t)(*s == '%' ? hex_at(s + 1) : (unsigned char)*s);
        if (*s == '%')
            s += 2;
    }
    return n;
}

static bool is_wanted(struct visit *v, const char *name)
{
    bool hit = strcmp(v->name, name) == 0;
    v->hits += hit;
    return hit;
}

static void visit_number(struct visit *v, const char *name, void *p, size_t size)
{
    uint64_t n = size == 1 ? *(uint8_t *)p : size == 2 ? *(uint16_t *)p : *(uint32_t *)p;
    if (v->print) {
        fprintf(v->print, " %s=%" PRIu64, name, n);
    } else if (is_wanted(v, name)) {
        n = strtoull(v->value, NULL, 0);
        if (size == 1)
            *(uint8_t *)p = (uint8_t)n;
        else if (size == 2)
            *(uint16_t *)p = (uint16_t)n;
        else
            *(uint32_t *)p = (uint32_t)n;
    }
}

static void visit_text(struct visit *v, const char *name, uint8_t *p, size_t size)
{
    if (v->print) {
        fprintf(v->print, " %s=", name);
        put_octets(v->print, p, strnlen((char *)p, size));
    } else if (is_wanted(v, name)) {
        p[take_octets(p, size - 1, v->value)] = 0;
    }
}

static void visit_octets(struct visit *v, const char *name, uint8_t *p, size_t size, uint8_t *length)
{
    if (v->print) {
        fprintf(v->print, " %s=", name);
        put_octets(v->print, p, *length);
    } else if (is_wanted(v, name)) {
        *length = (uint8_t)take_octets(p, size, v->value);
    }
}

/* How libsmpp34 keeps a TLV depends on its tag. */
static size_t number_size(uint16_t tag, size_t length)
{
    static const uint16_t of_two[] = { TLVID_user_message_reference, TLVID_source_port, TLVID_destination_port, TLVID_sar_msg_ref_num,
                                       TLVID_sms_signal, TLVID_dest_telematics_id };
    for (size_t i = 0; i < sizeof of_two / sizeof of_two[0]; i++)
        if (tag == of_two[i])
            return 2;
    return tag == TLVID_qos_time_to_live ? 4 : length == 1 ? 1 : 0;
}

static void print_tlv(FILE *to, const tlv_t *t)
{
    size_t size = number_size(t->tag, t->length);
    uint32_t n = size == 1 ? t->value.val08 : size == 2 ? t->value.val16 : t->value.val32;
    fprintf(to, " tlv:%04x=", t->tag);
    if (size)
        fprintf(to, "%0*x", (int)size * 2, n);
    for (size_t i = 0; !size && i < t->length; i++)
        fprintf(to, "%02x", t->value.octet[i]);
}

static void visit_tlvs(struct visit *v, tlv_t **list)
{
    tlv_t one = { 0 };
    for (const tlv_t *t = *list; v->print && t; t = t->next)
        print_tlv(v->print, t);
    if (v->print || strncmp(v->name, "tlv:", 4) != 0)
        return;
    v->hits++;
    one.tag = (uint16_t)strtoul(v->name + 4, NULL, 16);
    one.length = (uint16_t)(strlen(v->value) / 2);
    size_t size = number_size(one.tag, one.length);
    if (size)
        one.value.val32 = (uint32_t)strtoul(v->value, NULL, 16);        /* little end first: the other members agree */
    for (size_t i = 0; !size && i < one.length && i < MAX_TLV_SIZE; i++)
        one.value.octet[i] = (uint8_t)hex_at(v->value + 2 * i);
    if (build_tlv(list, &one))
        fail("build_tlv", v->name);
}

static void visit_dests(struct visit *v, dad_t **list, uint8_t *count)
{
    for (const dad_t *d = *list; v->print && d; d = d->next) {
        bool sme = d->dest_flag == DFID_SME_Address;
        fputs(sme ? " dest=" : " dest=list,", v->print);
        if (sme)
            fprintf(v->print, "%u,%u,", d->value.sme.dest_addr_ton, d->value.sme.dest_addr_npi);
        const uint8_t *text = sme ? d->value.sme.destination_addr : d->value.dl_name;
        put_octets(v->print, text, strlen((const char *)text));
    }
    if (v->print || !is_wanted(v, "dest"))
        return;
    dad_t one = { .dest_flag = DFID_SME_Address };
    if (strncmp(v->value, "list,", 5) == 0) {
        one.dest_flag = DFID_Distribution_List_Name;
        take_octets(one.value.dl_name, MAX_DAD_SIZE - 1, v->value + 5);
    } else {
        char *at;
        one.value.sme.dest_addr_ton = (uint8_t)strtoul(v->value, &at, 10);
        one.value.sme.dest_addr_npi = (uint8_t)strtoul(at + 1, &at, 10);
        take_octets(one.value.sme.destination_addr, MAX_DAD_SIZE - 1, at + 1);
    }
    if (build_dad(list, &one))
        fail("build_dad", v->value);
    ++*count;
}

static void visit_unsuccess(struct visit *v, udad_t **list, uint8_t *count)
{
    for (const udad_t *u = *list; v->print && u; u = u->next) {
        fprintf(v->print, " unsuccess=%u,%u,", u->dest_addr_ton, u->dest_addr_npi);
        put_octets(v->print, u->destination_addr, strlen((const char *)u->destination_addr));
        fprintf(v->print, ",%" PRIu32, u->error_status_code);
    }
    if (v->print || !is_wanted(v, "unsuccess"))
        return;
    udad_t one = { 0 };
    char *at, *status = strrchr(v->value, ',');
    *status++ = 0;
    one.dest_addr_ton = (uint8_t)strtoul(v->value, &at, 10);
    one.dest_addr_npi = (uint8_t)strtoul(at + 1, &at, 10);
    take_octets(one.destination_addr, sizeof one.destination_addr - 1, at + 1);
    one.error_status_code = (uint32_t)strtoul(status, NULL, 0);
    if (build_udad(list, &one))
        fail("build_udad", v->value);
    ++*count;
}

/* The frames are lists of these, each ended by a semicolon. */
#define U32(instance, field, words)             visit_number(v, #field, &p->field, sizeof p->field)
#define U16(instance, field, words)             visit_number(v, #field, &p->field, sizeof p->field)
#define U08(instance, field, words)             visit_number(v, #field, &p->field, sizeof p->field)
#define C_OCTET(instance, field, size)          visit_text(v, #field, p->field, sizeof p->field)
#define O_C_OCTET(instance, field, size)        visit_text(v, #field, p->field, sizeof p->field)
#define OCTET8(instance, field, size, length)   visit_octets(v, #field, p->field, sizeof p->field, &p->sm_length)
#define TLV(instance, field, words)             visit_tlvs(v, &p->field)
#define DAD(instance, field, words)             visit_dests(v, &p->field, &p->number_of_dests)
#define UDAD(instance, field, words)            visit_unsuccess(v, &p->field, &p->no_unsuccess)
#define WALK(pdu) static void walk_##pdu(struct pdu##_t *p, struct visit *v)

WALK(bind_transmitter)      {
#include <libsmpp34/def_frame/bind_transmitter.frame>
}
WALK(bind_transmitter_resp) {
#include <libsmpp34/def_frame/bind_transmitter_resp.frame>
}
WALK(bind_receiver)         {
#include <libsmpp34/def_frame/bind_receiver.frame>
}
WALK(bind_receiver_resp)    {
#include <libsmpp34/def_frame/bind_receiver_resp.frame>
}
WALK(bind_transceiver)      {
#include <libsmpp34/def_frame/bind_transceiver.frame>
}
WALK(bind_transceiver_resp) {
#include <libsmpp34/def_frame/bind_transceiver_resp.frame>
}
WALK(outbind)               {
#include <libsmpp34/def_frame/outbind.frame>
}
WALK(submit_sm)             {
#include <libsmpp34/def_frame/submit_sm.frame>
}
WALK(submit_sm_resp)        {
#include <libsmpp34/def_frame/submit_sm_resp.frame>
}
WALK(submit_multi)          {
#include <libsmpp34/def_frame/submit_multi.frame>
}
WALK(submit_multi_resp)     {
#include <libsmpp34/def_frame/submit_multi_resp.frame>
}
WALK(deliver_sm)            {
#include <libsmpp34/def_frame/deliver_sm.frame>
}
WALK(deliver_sm_resp)       {
#include <libsmpp34/def_frame/deliver_sm_resp.frame>
}
WALK(data_sm)               {
#include <libsmpp34/def_frame/data_sm.frame>
}
WALK(data_sm_resp)          {
#include <libsmpp34/def_frame/data_sm_resp.frame>
}
WALK(query_sm)              {
#include <libsmpp34/def_frame/query_sm.frame>
}
WALK(query_sm_resp)         {
#include <libsmpp34/def_frame/query_sm_resp.frame>
}
WALK(cancel_sm)             {
#include <libsmpp34/def_frame/cancel_sm.frame>
}
WALK(replace_sm)            {
#include <libsmpp34/def_frame/replace_sm.frame>
}
WALK(alert_notification)    {
#include <libsmpp34/def_frame/alert_notification.frame>
}

/* name, command_id; those of the second list are heads alone. */
#define BODIES(B)                                                                                                            \
    B(bind_transmitter, BIND_TRANSMITTER)         B(bind_transmitter_resp, BIND_TRANSMITTER_RESP)                            \
    B(bind_receiver, BIND_RECEIVER)               B(bind_receiver_resp, BIND_RECEIVER_RESP)                                  \
    B(bind_transceiver, BIND_TRANSCEIVER)         B(bind_transceiver_resp, BIND_TRANSCEIVER_RESP)                            \
    B(outbind, OUTBIND)                           B(alert_notification, ALERT_NOTIFICATION)                                  \
    B(submit_sm, SUBMIT_SM)                       B(submit_sm_resp, SUBMIT_SM_RESP)                                          \
    B(submit_multi, SUBMIT_MULTI)                 B(submit_multi_resp, SUBMIT_MULTI_RESP)                                    \
    B(deliver_sm, DELIVER_SM)                     B(deliver_sm_resp, DELIVER_SM_RESP)                                        \
    B(data_sm, DATA_SM)                           B(data_sm_resp, DATA_SM_RESP)                                              \
    B(query_sm, QUERY_SM)                         B(query_sm_resp, QUERY_SM_RESP)                                            \
    B(cancel_sm, CANCEL_SM)                       B(replace_sm, REPLACE_SM)
#define HEADS(H)                                                                                                             \
    H(cancel_sm_resp, CANCEL_SM_RESP)             H(replace_sm_resp, REPLACE_SM_RESP)                                        \
    H(enquire_link, ENQUIRE_LINK)                 H(enquire_link_resp, ENQUIRE_LINK_RESP)                                    \
    H(unbind, UNBIND)                             H(unbind_resp, UNBIND_RESP)                                                \
    H(generic_nack, GENERIC_NACK)

union any {
    uint32_t head[HEAD / 4];        /* length, id, status, sequence */
#define MEMBER(name, id) struct name##_t name;
    BODIES(MEMBER)
};

static const struct command {
    const char *name;
    uint32_t    id;
} commands[] = {
#define COMMAND(name, id) { #name, id },
    BODIES(COMMAND) HEADS(COMMAND)
};

static void walk(union any *pdu, struct visit *v)
{
    visit_number(v, "command_status", &pdu->head[2], 4);
    visit_number(v, "sequence_number", &pdu->head[3], 4);
    switch (pdu->head[1]) {
#define CASE(name, id) case id: walk_##name(&pdu->name, v); break;
    BODIES(CASE)
    default: break;
    }
}

/* Where its TLVs are listed. NULL: it has none. */
static tlv_t **tlvs_of(union any *pdu)
{
    switch (pdu->head[1]) {
    case SUBMIT_SM:             return &pdu->submit_sm.tlv;
    case SUBMIT_MULTI:          return &pdu->submit_multi.tlv;
    case DELIVER_SM:            return &pdu->deliver_sm.tlv;
    case DATA_SM:               return &pdu->data_sm.tlv;
    case ALERT_NOTIFICATION:    return &pdu->alert_notification.tlv;
    case BIND_TRANSCEIVER_RESP: return &pdu->bind_transceiver_resp.tlv;
    case BIND_RECEIVER_RESP:    return &pdu->bind_receiver_resp.tlv;
    case BIND_TRANSMITTER_RESP: return &pdu->bind_transmitter_resp.tlv;
    default:                    return NULL;
    }
}

/* libsmpp34 lists them the last first, and writes them so. */
static void turn_tlvs(union any *pdu)
{
    tlv_t **list = tlvs_of(pdu), *turned = NULL;
    for (tlv_t *t = list ? *list : NULL, *next; t; t = next) {
        next = t->next;
        t->next = turned;
        turned = t;
    }
    if (list)
        *list = turned;
}

static void done_with(union any *pdu)
{
    tlv_t **tlvs = tlvs_of(pdu);
    if (tlvs)
        destroy_tlv(*tlvs);
    if (pdu->head[1] == SUBMIT_MULTI)
        destroy_dad(pdu->submit_multi.dest_addr_def);
    if (pdu->head[1] == SUBMIT_MULTI_RESP)
        destroy_udad(pdu->submit_multi_resp.unsuccess_smes);
}

static const char *name_of(uint32_t id)
{
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++)
        if (commands[i].id == id)
            return commands[i].name;
    return NULL;
}

/* -- links ----------------------------------------------------------------------------------------------------------------- */
static struct link {
    int     fd;                     /* 0: never used; -1: gone */
    size_t  n;
    uint8_t octets[OCTETS];
} links[LINKS];
static int listener = -1;

static void link_open(int fd)
{
    static int used;
    if (used == LINKS)
        fail("links", "there were too many");
    links[used].fd = fd;
    printf("%d open\n", ++used);
}

static void link_close(int i)
{
    close(links[i].fd);
    links[i].fd = -1;
    printf("%d gone\n", i + 1);
}

/* libsmpp34 reads and writes a TLV's number by its tag, whatever length it has: the lengths must lead through the PDU, too. */
static void want_lengths(union any *pdu, const char *name, size_t n)
{
    uint8_t without[OCTETS];
    int written = 0;
    tlv_t **list = tlvs_of(pdu), *tlvs = list ? *list : NULL;
    size_t said = 0;
    for (const tlv_t *t = tlvs; t; t = t->next)
        said += 4 + t->length;
    if (!tlvs)
        return;
    *list = NULL;
    if (smpp34_pack2(without, sizeof without, &written, pdu))
        fail(name, smpp34_strerror);
    *list = tlvs;
    if ((size_t)written + said != n)
        fail(name, "the length of a TLV is not its value's");
}

/* One PDU: read by libsmpp34, and the same when it writes it. */
static void heard(int i, const uint8_t *p, size_t n)
{
    union any pdu;
    uint8_t again[OCTETS];
    int written = 0;
    uint32_t id;
    memcpy(&id, p + 4, sizeof id);
    const char *name = name_of(ntohl(id));
    memset(&pdu, 0, sizeof pdu);
    if (!name)
        fail("a PDU that libsmpp34 does not have", "?");
    if (smpp34_unpack2(&pdu, p, (int)n))
        fail(name, smpp34_strerror);
    turn_tlvs(&pdu);
    if (smpp34_pack2(again, sizeof again, &written, &pdu))
        fail(name, smpp34_strerror);
    if ((size_t)written != n || memcmp(again, p, n) != 0) {
        for (size_t k = 0; k < n || k < (size_t)written; k++)
            if (k >= n || k >= (size_t)written || p[k] != again[k])
                fprintf(stderr, "octet %zu is %02x, not %02x; ", k, k < n ? p[k] : 0, k < (size_t)written ? again[k] : 0);
        fail(name, "libsmpp34 writes it otherwise");
    }
    want_lengths(&pdu, name, n);
    struct visit v = { .print = stdout };
    printf("%d %s", i + 1, name);
    walk(&pdu, &v);
    putchar('\n');
    done_with(&pdu);
}

static void link_read(int i)
{
    struct link *l = &links[i];
    ssize_t got = read(l->fd, l->octets + l->n, sizeof l->octets - l->n);
    if (got <= 0) {
        if (l->n)
            fail("a link that ended", "in the middle of a PDU");
        link_close(i);
        return;
    }
    l->n += (size_t)got;
    for (uint32_t length; l->n >= HEAD; l->n -= length) {
        memcpy(&length, l->octets, sizeof length);
        length = ntohl(length);
        if (length < HEAD || length > sizeof l->octets)
            fail("command_length", "it cannot be");
        if (length > l->n)
            return;
        heard(i, l->octets, length);
        memmove(l->octets, l->octets + length, l->n - length);
    }
}

/* -- what we are told -------------------------------------------------------------------------------------------------------- */
static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void do_listen(void)
{
    struct sockaddr_in at = loopback(0);
    socklen_t size = sizeof at;
    listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, LINKS)
        || getsockname(listener, (struct sockaddr *)&at, &size))
        fail("listen", strerror(errno));
    printf("port %u\n", ntohs(at.sin_port));
}

static void do_connect(const char *port)
{
    struct sockaddr_in at = loopback((uint16_t)strtoul(port, NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&at, sizeof at))
        fail("connect", strerror(errno));
    link_open(fd);
}

static void fill(union any *pdu, char *fields)
{
    for (char *one; (one = strsep(&fields, " "));) {
        struct visit v = { .name = one, .value = strchr(one, '=') };
        if (!v.value)
            fail("not FIELD=VALUE", one);
        *v.value++ = 0;
        walk(pdu, &v);
        if (v.hits != 1)
            fail("there is no field", one);
    }
}

static void do_send(int i, const char *name, char *fields)
{
    union any pdu;
    uint8_t octets[OCTETS];
    int n = 0;
    memset(&pdu, 0, sizeof pdu);
    for (size_t k = 0; k < sizeof commands / sizeof commands[0]; k++)
        if (strcmp(commands[k].name, name) == 0)
            pdu.head[1] = commands[k].id;
    if (!pdu.head[1])
        fail("there is no command", name);
    if (fields)
        fill(&pdu, fields);
    if (smpp34_pack2(octets, sizeof octets, &n, &pdu))
        fail(name, smpp34_strerror);
    if (write(links[i].fd, octets, (size_t)n) != n)
        fail("write", strerror(errno));
    done_with(&pdu);
}

static void told(char *line)
{
    char *verb = strsep(&line, " "), *name;
    int i = atoi(verb) - 1;
    if (strcmp(verb, "listen") == 0)
        do_listen();
    else if (strcmp(verb, "connect") == 0)
        do_connect(line);
    else if (i < 0 || i >= LINKS || links[i].fd <= 0 || !(name = strsep(&line, " ")))
        fail("there is no link", verb);
    else if (strcmp(name, "close") == 0)
        link_close(i);
    else
        do_send(i, name, line);
}

/* False: it has ended. Lines are read from the descriptor itself, for poll() knows nothing of what stdio holds back. */
static bool told_more(void)
{
    static char text[VALUES * 4];
    static size_t n;
    ssize_t got = read(STDIN_FILENO, text + n, sizeof text - 1 - n);
    if (got <= 0)
        return false;
    n += (size_t)got;
    text[n] = 0;
    for (char *end; (end = strchr(text, '\n'));) {
        *end++ = 0;
        told(text);
        n -= (size_t)(end - text);
        memmove(text, end, n + 1);
    }
    return true;
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
    for (;;) {
        struct pollfd ready[LINKS + 2] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = listener, .events = POLLIN } };
        for (int i = 0; i < LINKS; i++)
            ready[i + 2] = (struct pollfd){ .fd = links[i].fd > 0 ? links[i].fd : -1, .events = POLLIN };
        if (poll(ready, LINKS + 2, -1) < 0)
            fail("poll", strerror(errno));
        if (ready[1].revents)
            link_open(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
        for (int i = 0; i < LINKS; i++)
            if (ready[i + 2].revents)
                link_read(i);
        if (ready[0].revents && !told_more())
            return 0;
    }
}
