/* A public id from anywhere: ours or refused; and every key and kind comes back from its guid. */
#include "base/id.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const uint8_t secret[ID_KEY_OCTETS] = { 42 };
    static struct ids *ids;
    if (!ids)
        ids = ids_new(secret, 1);
    uint64_t key, back;
    char guid[GUID_SIZE];
    enum err err = ids_guid_read(ids, ID_CALL, (struct str){ (const char *)data, n }, &key);
    assert(err == ERR_NONE || err == ERR_SYNTAX || err == ERR_ABSENT);
    if (err == ERR_NONE) {
        ids_guid(ids, ID_CALL, key, guid);
        assert(str_eq_nocase(str_of(guid), (struct str){ (const char *)data, n }));
    }
    if (n >= 9) {
        enum id_kind kind = (enum id_kind)(data[8] ? data[8] : 1);
        memcpy(&key, data, sizeof key);
        ids_guid(ids, kind, key, guid);
        err = ids_guid_read(ids, kind, str_of(guid), &back);
        assert(!err && back == key);
    }
    return 0;
}
