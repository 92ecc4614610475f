/* Any octets as the headers of a signature, one a line: nothing is proven by anyone without the key. */
#include "base/clock.h"
#include "base/str.h"
#include "edge/api/http_auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct keyring *ring;
    if (!ring) {
        assert(!keyring_new(&ring));
        assert(!keyring_put(ring, 7, STR("default"), STR("a key that no input can know, here"), STR("")));
        assert(!keyring_set_operator(ring, STR("nor this one")));
    }
    struct arena *arena = arena_new();
    struct str rest = { (const char *)data, size };
    struct http_signed rq = { .method = STR("GET"), .content = size & 1, .tls = size & 32 };
    struct str *fields[] = { &rq.authorization, &rq.date, &rq.content_hash, &rq.host, &rq.ms_host, &rq.target, &rq.body };
    struct problem why = { 0 };
    struct keyring_proof proof;
    assert(arena);
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        str_cut(rest, '\n', fields[i], &rest);
    if (time_rfc1123_read(rq.date, &rq.now_us))
        rq.now_us = 0;
    struct keyring_question q = { .host = rq.host, .bound = size & 2 ? STR("default") : STR(""), .loopback = size & 4,
                                  .operator_too = size & 8 };
    keyring_set_development(ring, size & 16);
    if (!http_auth_prove(ring, &rq, &q, arena, &proof, &why))
        assert(size & 16);              /* only the development key is public */
    else
        assert(!strcmp(why.code, "Denied") && why.rule[0]);
    arena_free(arena);
    return 0;
}
