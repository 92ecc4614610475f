#include "codec/smpp/smpp.h"

#include "base/str.h"

enum { LIKELY_INTERNATIONAL = 10 };

static bool all_digits(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

struct smpp_addr smpp_addr_of(struct str number)
{
    if (number.n > 1 && number.p[0] == '+' && all_digits(str_from(number, 1)))
        return (struct smpp_addr){ TON_INTERNATIONAL, NPI_ISDN, str_from(number, 1) };
    if (all_digits(number))
        return (struct smpp_addr){ TON_NETWORK, NPI_UNKNOWN, number };
    return (struct smpp_addr){ TON_ALPHANUMERIC, NPI_UNKNOWN, number };
}

size_t smpp_addr_number(char *dst, uint8_t ton, struct str addr)
{
    bool international = ton == TON_INTERNATIONAL && all_digits(addr);
    /* Kannel and many SMSCs leave the type unknown on full numbers: ten digits that no trunk prefix leads */
    if (ton == TON_UNKNOWN && addr.n >= LIKELY_INTERNATIONAL && all_digits(addr) && addr.p[0] != '0')
        international = true;
    if (international)
        *dst++ = '+';
    return str_copyz(dst, SMPP_NUMBER_SIZE - international, addr) + international;
}
