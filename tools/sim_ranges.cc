// sim_ranges - prints a range of 10,000 numbers for each country and type that is sold outside North America, for the simulated carrier.
//
// Run once by hand when a country is added to the catalogue; not part of the build, which reads the CSV file made from this output:
//   g++ -O2 -o sim_ranges tools/sim_ranges.cc -lphonenumber -lgeocoding -licuuc && ./sim_ranges > data/sim/ranges.csv
//
// A range is libphonenumber's (8.12, metadata of 2022) example number of the type without its last four digits; every number of it
// must have a possible length. The area code is what the library calls one, or the first two digits where a country has none.
// Where two types have the same example, the second takes the next range.
#include <phonenumbers/geocoding/phonenumber_offline_geocoder.h>
#include <phonenumbers/phonenumber.pb.h>
#include <phonenumbers/phonenumberutil.h>

#include <unicode/locid.h>

#include <cstdio>
#include <set>
#include <string>

using namespace i18n::phonenumbers;

static const struct { const char *word; PhoneNumberUtil::PhoneNumberType type; const char *countries; } kinds[] = {
    { "geographic", PhoneNumberUtil::FIXED_LINE, "AT AU BE CH DE DK ES FR GB IE IT JP LU NL NO PT SE SK" },
    { "tollFree", PhoneNumberUtil::TOLL_FREE, "AT AU BE BR CH CN DE DK ES FI FR GB HK IE IL IT JP LU MX MY NL NO NZ PL PT SA SE SG SK TH TW" },
    { "mobile", PhoneNumberUtil::MOBILE, "AU BE DK FI GB IE LV NL PL SE" },
};

static void one(const PhoneNumberUtil &util, const PhoneNumberOfflineGeocoder &geo, const char *word, PhoneNumberUtil::PhoneNumberType type,
                const std::string &country)
{
    PhoneNumber n;
    if (!util.GetExampleNumberForType(country, type, &n)) {
        fprintf(stderr, "%s %s: no example\n", country.c_str(), word);
        return;
    }
    std::string national;
    util.GetNationalSignificantNumber(n, &national);
    int valid = 0, area = util.GetLengthOfGeographicalAreaCode(n);
    if (type != PhoneNumberUtil::FIXED_LINE || area == 0)
        area = util.GetLengthOfNationalDestinationCode(n);
    if (type == PhoneNumberUtil::TOLL_FREE && area < 2)
        area = national[0] == '1' ? 4 : 3;
    if (area < 1 || area > 5)
        area = 2;
    std::string head = national.substr(0, national.size() - 4);
    static std::set<std::string> taken;
    while (!taken.insert(std::to_string(n.country_code()) + head).second)
        head.back() = (char)(head.back() == '9' ? '0' : head.back() + 1);
    for (int line = 0; line < 10000; line++) {
        char tail[8];
        snprintf(tail, sizeof tail, "%04d", line);
        PhoneNumber x;
        if (util.Parse("+" + std::to_string(n.country_code()) + head + tail, "ZZ", &x) != PhoneNumberUtil::NO_PARSING_ERROR
            || util.IsPossibleNumberWithReason(x) != PhoneNumberUtil::IS_POSSIBLE) {
            fprintf(stderr, "%s %s: %s%s has an impossible length\n", country.c_str(), word, head.c_str(), tail);
            return;
        }
        valid += util.IsValidNumber(x);
    }
    std::string place = type == PhoneNumberUtil::FIXED_LINE ? geo.GetDescriptionForNumber(n, icu::Locale("en")) : "";
    if (place.find(',') != std::string::npos)
        place = place.substr(0, place.find(','));
    printf("%s,%s,%d%s,%s,%s\n", country.c_str(), word, n.country_code(), head.c_str(), national.substr(0, area).c_str(), place.c_str());
    fprintf(stderr, "%s %s: %d of 10000 are valid\n", country.c_str(), word, valid);
}

int main()
{
    const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
    PhoneNumberOfflineGeocoder geo;
    puts("# Simulated numbers outside North America: country,type,prefix,area_code,place. A range is the prefix and four digits more.\n"
         "# Source: libphonenumber 8.12.57 (Apache-2.0), metadata of 2022: its example number of each type, by tools/sim_ranges.cc on\n"
         "# 2026-11-22. The numbers belong to the simulated carrier alone: nothing leaves by another with one of them. A range may have\n"
         "# a real owner; a number that the operator imports is the operator's. Japan and others stand here for operators' overlays.");
    for (auto &k : kinds)
        for (const char *c = k.countries; *c; c += c[2] ? 3 : 2)
            one(util, geo, k.word, k.type, std::string(c, 2));
    return 0;
}
