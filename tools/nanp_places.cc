// nanp_places - prints what libphonenumber (8.12, metadata of 2022) knows of each area code and each country code.
//
// Run once by hand when the metadata changes; not part of the build, which reads the CSV files made from this output:
//   g++ -O2 -o nanp_places tools/nanp_places.cc -lphonenumber -lgeocoding -licuuc
//   ./nanp_places npa  | sh tools/nanp_make.sh RATES.csv > data/nanp/npa.csv
//   ./nanp_places codes > data/e164/country_codes.csv
//
// The place of an area code is the most frequent city over its 800 exchanges, because single numbers may answer with
// the state alone; where no exchange has a city, the place is empty.
#include <phonenumbers/geocoding/phonenumber_offline_geocoder.h>
#include <phonenumbers/phonenumber.pb.h>
#include <phonenumbers/phonenumberutil.h>

#include <unicode/locid.h>

#include <cstdio>
#include <cstring>
#include <map>
#include <set>
#include <string>

using namespace i18n::phonenumbers;

static std::string most(const std::map<std::string, int> &counts)
{
    std::string best;
    int n = 0;
    for (auto &c : counts)
        if (c.second > n) {
            n = c.second;
            best = c.first;
        }
    return best;
}

static void one_area_code(const PhoneNumberUtil &util, const PhoneNumberOfflineGeocoder &geo, int npa)
{
    std::map<std::string, int> regions, cities, states, words;
    for (int nxx = 200; nxx <= 999; nxx++) {
        PhoneNumber n;
        n.set_country_code(1);
        n.set_national_number(npa * 10000000ULL + nxx * 10000ULL + 2368);
        std::string region;
        util.GetRegionCodeForNumber(n, &region);
        if (!region.empty() && region != "ZZ")
            regions[region]++;
        std::string where = geo.GetDescriptionForNumber(n, icu::Locale("en"));
        size_t comma = where.rfind(", ");
        if (comma != std::string::npos && where.size() == comma + 4) {
            cities[where]++;
            states[where.substr(comma + 2)]++;
        } else if (!where.empty()) {
            words[where]++;
        }
    }
    std::string city = most(cities), state = most(states), place;
    if (!city.empty())
        place = city.substr(0, city.rfind(", "));
    printf("%d|%s|%s|%s|%s\n", npa, most(regions).c_str(), state.c_str(), place.c_str(), most(words).c_str());
}

static void area_codes()
{
    const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
    PhoneNumberOfflineGeocoder geo;
    for (int npa = 200; npa <= 999; npa++)
        one_area_code(util, geo, npa);
}

/* Lengths at which some number of the code is possible, as least and greatest. */
static void one_country_code(const PhoneNumberUtil &util, int code, const std::string &region)
{
    int least = 0, most_digits = 0;
    for (int n = 2; n <= 15; n++) {
        PhoneNumber p;
        p.set_country_code(code);
        uint64_t digits = 1;
        for (int i = 0; i < n; i++)
            digits = i ? digits * 10 + 2 : 2;
        p.set_national_number(digits);
        if (util.IsPossibleNumberWithReason(p) == PhoneNumberUtil::IS_POSSIBLE) {
            least = least ? least : n;
            most_digits = n;
        }
    }
    if (least)
        printf("%d,%s,%d,%d\n", code, region == "001" ? "" : region.c_str(), least, most_digits);
}

static void country_codes()
{
    const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
    std::set<int> codes;
    util.GetSupportedCallingCodes(&codes);
    puts("code,country,least,most");
    for (int code : codes) {
        std::string region;
        util.GetRegionCodeForCountryCode(code, &region);
        one_country_code(util, code, region);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "npa"))
        area_codes();
    else if (argc == 2 && !strcmp(argv[1], "codes"))
        country_codes();
    else
        return fprintf(stderr, "usage: nanp_places npa|codes\n"), 2;
    return 0;
}
