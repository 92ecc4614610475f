/* Any octets as a message: the result is UTF-8, what it writes reads back the same, and its segments are its text. */
#include "base/str.h"
#include "codec/gsm7/gsm7.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_split(struct str text)
{
    struct sms_split split;
    size_t at = 0;
    if (sms_split(&split, text))
        return;
    for (unsigned i = 0; i < split.count; i++) {
        uint8_t octets[SMS_SEGMENT_OCTETS];
        struct wr w = wr_of(octets, sizeof octets);
        assert(split.part[i].at == at);
        assert(!sms_text_write(&w, split.alphabet, (struct str){ text.p + at, split.part[i].n }));
        at += split.part[i].n;
    }
    assert(at == text.n && sms_segments(text) == split.count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    enum sms_alphabet alphabet = sms_alphabet_of(data[0]);
    scoped_buf text = { 0 };
    sms_text_read(&text, alphabet, data + 1, size - 1);
    assert(utf8_valid(buf_str(&text)));
    assert_split(buf_str(&text));
    if (alphabet == SMS_GSM7 || alphabet == SMS_UCS2) {
        scoped_buf octets = { 0 }, again = { 0 };
        char *room = buf_room(&octets, 2 * size + 2);
        assert(room);
        struct wr w = wr_of(room, 2 * size + 2);
        assert(!sms_text_write(&w, alphabet, buf_str(&text)));
        sms_text_read(&again, alphabet, room, wr_len(&w));
        assert(str_eq(buf_str(&again), buf_str(&text)));
    }
    assert_split((struct str){ (const char *)data, size });
    return 0;
}
