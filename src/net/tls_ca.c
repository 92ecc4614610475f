#include "net/tls_ca.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CA_DAYS = 3650, LEAF_DAYS = 730, RENEW_DAYS = 30, PATH_SIZE = 512, PEM_OCTETS_MAX = 256 * 1024 };

/* A certificate and its key. */
struct pair {
    X509     *cert;
    EVP_PKEY *key;
};

static void pair_done(struct pair *p)
{
    X509_free(p->cert);
    EVP_PKEY_free(p->key);
    *p = (struct pair){ 0 };
}

void tls_pems_done(struct tls_pems *pems)
{
    if (pems->key)
        explicit_bzero(pems->key, strlen(pems->key));
    if (pems->ca_key)
        explicit_bzero(pems->ca_key, strlen(pems->ca_key));
    free(pems->ca_key);
    free(pems->cert);
    free(pems->key);
    free(pems->ca);
    *pems = (struct tls_pems){ 0 };
}

static enum err pem_read(const char *path, char **out)
{
    size_t size;
    return file_read_whole(path, PEM_OCTETS_MAX, out, &size);
}

/* -- PEM ----------------------------------------------------------------------------------------------------------- */

static X509 *cert_read(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    BIO_free(bio);
    return cert;
}

static EVP_PKEY *key_read(const char *pem)
{
    BIO *bio = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"") : NULL;
    BIO_free(bio);
    return key;
}

static char *bio_text(BIO *bio)
{
    char *p;
    long n = BIO_get_mem_data(bio, &p);
    char *text = n > 0 ? strndup(p, (size_t)n) : NULL;
    BIO_free(bio);
    return text;
}

static char *certs_write(X509 *first, X509 *second)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (!bio)
        return NULL;
    PEM_write_bio_X509(bio, first);
    if (second)
        PEM_write_bio_X509(bio, second);
    return bio_text(bio);
}

static char *key_write(EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (!bio)
        return NULL;
    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
    return bio_text(bio);
}

/* -- certificates -------------------------------------------------------------------------------------------------- */

static bool extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    bool good = ext && X509_add_ext(cert, ext, -1);
    X509_EXTENSION_free(ext);
    return good;
}

static bool set_serial(X509 *cert)
{
    uint8_t octets[16];
    random_bytes(octets, sizeof octets);
    octets[0] &= 0x7f;
    BIGNUM *n = BN_bin2bn(octets, sizeof octets, NULL);
    bool good = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert));
    BN_free(n);
    return good;
}

/* Version 3, fresh key, names and dates set; a day is allowed for clocks behind ours. */
static bool pair_begin(struct pair *p, const char *common_name, int days)
{
    *p = (struct pair){ .cert = X509_new(), .key = EVP_EC_gen("P-256") };
    if (!p->cert || !p->key)
        return false;
    X509_NAME *name = X509_get_subject_name(p->cert);
    return X509_set_version(p->cert, X509_VERSION_3) && set_serial(p->cert)
           && X509_gmtime_adj(X509_getm_notBefore(p->cert), -24L * 3600)
           && X509_time_adj_ex(X509_getm_notAfter(p->cert), days, 0, NULL)
           && X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, (const unsigned char *)"Carterfone", -1, -1, 0)
           && X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0)
           && X509_set_pubkey(p->cert, p->key);
}

static bool make_ca(struct pair *ca)
{
    char host[64] = "", name[64];
    gethostname(host, sizeof host - 1);
    snprintf(name, sizeof name, "Carterfone local authority (%.30s)", host);
    return pair_begin(ca, name, CA_DAYS) && X509_set_issuer_name(ca->cert, X509_get_subject_name(ca->cert))
           && extend(ca->cert, ca->cert, NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
           && extend(ca->cert, ca->cert, NID_key_usage, "critical,keyCertSign,cRLSign")
           && extend(ca->cert, ca->cert, NID_subject_key_identifier, "hash")
           && X509_sign(ca->cert, ca->key, EVP_sha256());
}

static bool is_address(const char *name)
{
    unsigned char octets[16];
    return inet_pton(AF_INET, name, octets) == 1 || inet_pton(AF_INET6, name, octets) == 1;
}

/* Most TLS clients refuse a wildcard right below a top-level name, so the default resource's is spelled out. */
static const char *const always[] = { "localhost", "*.localhost", "default.localhost", "127.0.0.1", "::1" };

/* What a certificate's name may hold, so that it cannot add fields of its own to the extension's text. */
static bool is_name(const char *name)
{
    size_t n = strlen(name);
    return n && n < 254 && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.*:") == n;
}

static bool set_names(X509 *leaf, X509 *ca, const char *const *first, size_t n_first,
                      const char *const *names, size_t n)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (!bio)
        return false;
    for (size_t i = 0; i < n_first + n; i++) {
        const char *name = i < n_first ? first[i] : names[i - n_first];
        BIO_printf(bio, "%s%s:%s", i ? "," : "", is_address(name) ? "IP" : "DNS", name);
    }
    char *text = bio_text(bio);
    bool good = text && extend(leaf, ca, NID_subject_alt_name, text);
    free(text);
    return good;
}

static bool make_leaf(struct pair *leaf, const struct pair *ca, const char *common_name, const char *const *first,
                      size_t n_first, const char *const *names, size_t n)
{
    return pair_begin(leaf, common_name, LEAF_DAYS)
           && X509_set_issuer_name(leaf->cert, X509_get_subject_name(ca->cert))
           && extend(leaf->cert, ca->cert, NID_basic_constraints, "critical,CA:FALSE")
           && extend(leaf->cert, ca->cert, NID_key_usage, "critical,digitalSignature")
           && extend(leaf->cert, ca->cert, NID_ext_key_usage, "serverAuth")
           && extend(leaf->cert, ca->cert, NID_subject_key_identifier, "hash")
           && extend(leaf->cert, ca->cert, NID_authority_key_identifier, "keyid")
           && set_names(leaf->cert, ca->cert, first, n_first, names, n) && X509_sign(leaf->cert, ca->key, EVP_sha256());
}

/* -- is what we have still good? ----------------------------------------------------------------------------------- */

static bool is_fresh(const struct pair *p)
{
    int days = 0, seconds = 0;
    return p->cert && p->key && X509_check_private_key(p->cert, p->key) == 1
           && ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(p->cert)) && days >= RENEW_DAYS;
}

/* As spelled: OpenSSL's own check finds no match for wildcards such as *.localhost. */
static bool has_dns_name(X509 *cert, const char *name)
{
    GENERAL_NAMES *all = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    for (int i = 0; i < sk_GENERAL_NAME_num(all) && !found; i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);
        if (g->type != GEN_DNS)
            continue;
        struct str dns = { (const char *)ASN1_STRING_get0_data(g->d.dNSName), (size_t)ASN1_STRING_length(g->d.dNSName) };
        found = str_eq_nocase(dns, str_of(name));
    }
    GENERAL_NAMES_free(all);
    return found;
}

static bool has_name(X509 *cert, const char *name)
{
    return is_address(name) ? X509_check_ip_asc(cert, name, 0) == 1 : has_dns_name(cert, name);
}

static bool leaf_is_good(const struct pair *leaf, const struct pair *ca, const char *const *names, size_t n)
{
    if (!is_fresh(leaf) || X509_verify(leaf->cert, ca->key) != 1)
        return false;
    for (size_t i = 0; i < n; i++)
        if (!has_name(leaf->cert, names[i]))
            return false;
    return true;
}

static void load_pair(const char *dir, const char *cert_name, const char *key_name, struct pair *out)
{
    char path[PATH_SIZE], *text = NULL;
    snprintf(path, sizeof path, "%s/%s", dir, cert_name);
    if (!pem_read(path, &text))
        out->cert = cert_read(text);
    free(text);
    text = NULL;
    snprintf(path, sizeof path, "%s/%s", dir, key_name);
    if (!pem_read(path, &text)) {
        out->key = key_read(text);
        explicit_bzero(text, strlen(text));
    }
    free(text);
}

static enum err save(const char *dir, const char *name, const char *text)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return text ? file_write_whole(path, str_of(text), 0600, NULL) : ERR_NOMEM;
}

static enum err save_ca(const char *dir, const struct pair *ca)
{
    char *cert = certs_write(ca->cert, NULL), *key = key_write(ca->key);
    enum err err = save(dir, "ca.key", key);
    if (!err)
        err = save(dir, "ca.pem", cert);
    if (key)
        explicit_bzero(key, strlen(key));
    free(key);
    free(cert);
    return err;
}

static enum err ensure(const char *dir, const char *const *names, size_t n, struct pair *ca, struct pair *leaf)
{
    enum err err = ERR_NONE;
    if (dir) {
        load_pair(dir, "ca.pem", "ca.key", ca);
        load_pair(dir, "server.pem", "server.key", leaf);
    }
    if (!is_fresh(ca)) {
        pair_done(ca);
        if (!make_ca(ca))
            return ERR_NOMEM;
        if (dir)
            err = save_ca(dir, ca);
    }
    if (err || leaf_is_good(leaf, ca, names, n))
        return err;
    pair_done(leaf);
    return make_leaf(leaf, ca, "localhost", always, ARRAY_LEN(always), names, n) ? ERR_ABSENT : ERR_NOMEM;     /* ABSENT: a new one, to be saved */
}

enum err tls_ca_ensure(const char *dir, const char *const *names, size_t n, struct tls_pems *out, struct problem *why)
{
    struct pair ca = { 0 }, leaf = { 0 };
    struct tls_pems pems = { 0 };
    for (size_t i = 0; i < n; i++)
        if (!is_name(names[i]))
            return problem_set(why, ERR_RANGE, "", "'%s' cannot stand in a certificate.", names[i]);
    if (dir && (strlen(dir) > PATH_SIZE - 32 || (mkdir(dir, 0700) && errno != EEXIST)))
        return problem_set(why, ERR_IO, "", "Cannot make %s: %s.", dir, strerror(errno));
    enum err err = ensure(dir, names, n, &ca, &leaf);
    if (!err || err == ERR_ABSENT) {
        pems = (struct tls_pems){ certs_write(leaf.cert, ca.cert), key_write(leaf.key), certs_write(ca.cert, NULL),
                                  key_write(ca.key) };
        bool fresh = err == ERR_ABSENT;
        err = pems.cert && pems.key && pems.ca && pems.ca_key ? ERR_NONE : ERR_NOMEM;
        if (!err && fresh && dir)
            err = save(dir, "server.key", pems.key);
        if (!err && fresh && dir)
            err = save(dir, "server.pem", pems.cert);
    }
    pair_done(&ca);
    pair_done(&leaf);
    ERR_clear_error();          /* a file that was no PEM must not confuse the next TLS call of this thread */
    if (err) {
        tls_pems_done(&pems);
        return problem_set(why, err, "", "Cannot keep certificates in %s: %s.", dir ? dir : "memory", err_words(err));
    }
    *out = pems;
    return ERR_NONE;
}

enum err tls_leaf_make(const char *ca_pem, const char *ca_key_pem, const char *name, struct tls_pems *out)
{
    enum { NAME_MOST = 64 };            /* of a common name (RFC 5280, A.1); the name itself is in the extension */
    struct pair ca = { cert_read(ca_pem), key_read(ca_key_pem) }, leaf = { 0 };
    struct tls_pems pems = { 0 };
    enum err err = !is_name(name) ? ERR_RANGE : !ca.cert || !ca.key ? ERR_SYNTAX : ERR_NONE;
    if (!err && make_leaf(&leaf, &ca, strlen(name) <= NAME_MOST ? name : "localhost", &name, 1, NULL, 0))
        pems = (struct tls_pems){ .cert = certs_write(leaf.cert, ca.cert), .key = key_write(leaf.key) };
    if (!err && (!pems.cert || !pems.key)) {
        tls_pems_done(&pems);
        err = ERR_NOMEM;
    }
    pair_done(&ca);
    pair_done(&leaf);
    ERR_clear_error();
    if (!err)
        *out = pems;
    return err;
}

enum err tls_pems_load(const char *cert_file, const char *key_file, struct tls_pems *out, struct problem *why)
{
    struct tls_pems pems = { 0 };
    if (pem_read(cert_file, &pems.cert))
        return problem_set(why, ERR_IO, "", "Cannot read %s.", cert_file);
    if (pem_read(key_file, &pems.key)) {
        tls_pems_done(&pems);
        return problem_set(why, ERR_IO, "", "Cannot read %s.", key_file);
    }
    struct pair p = { cert_read(pems.cert), key_read(pems.key) };
    bool fits = p.cert && p.key && X509_check_private_key(p.cert, p.key) == 1;
    pair_done(&p);
    if (!fits) {
        tls_pems_done(&pems);
        return problem_set(why, ERR_SYNTAX, "", "%s and %s are not a PEM certificate and its key.", cert_file, key_file);
    }
    *out = pems;
    return ERR_NONE;
}
