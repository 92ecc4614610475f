#!/bin/sh
# Makes data/nanp/npa.csv, by hand, when a source changes: nanp_places npa | sh tools/nanp_make.sh SHEET.csv
# The price sheet (name,type,country,prefix,price) says whose an area code is; where it is silent, the standard input
# (npa|region|state|city|words, from tools/nanp_places.cc) does. data/nanp/overlay.csv wins over both for places.
cat <<'END'
# North American area codes. npa,country,kind,admin,admin_name,place,source
# country: ISO 3166-1, Puerto Rico and the other territories as themselves. kind: geographic | toll-free | other.
# place: the most frequent city over the code's 800 exchanges; the state where no exchange has a city.
# source: sheet = Azure/Communication pricing/communication-services-pstn-rates.csv (MIT), read 2026-11-22;
#         lib = libphonenumber 8.12.57 (Apache-2.0), metadata of 2022. Made by tools/nanp_make.sh on 2026-11-22.
END
awk -v sheet="$1" -v overlay=data/nanp/overlay.csv '
function names(list, n, i, part, kv) {
    n = split(list, part, "|")
    for (i = 1; i <= n; i++) { split(part[i], kv, "="); name_of[kv[1]] = kv[2]; abbrev[kv[2]] = kv[1] }
}
BEGIN {
    FS = "|"
    names("AL=Alabama|AK=Alaska|AZ=Arizona|AR=Arkansas|CA=California|CO=Colorado|CT=Connecticut|DE=Delaware")
    names("DC=District of Columbia|FL=Florida|GA=Georgia|HI=Hawaii|ID=Idaho|IL=Illinois|IN=Indiana|IA=Iowa|KS=Kansas")
    names("KY=Kentucky|LA=Louisiana|ME=Maine|MD=Maryland|MA=Massachusetts|MI=Michigan|MN=Minnesota|MS=Mississippi")
    names("MO=Missouri|MT=Montana|NE=Nebraska|NV=Nevada|NH=New Hampshire|NJ=New Jersey|NM=New Mexico|NY=New York")
    names("NC=North Carolina|ND=North Dakota|OH=Ohio|OK=Oklahoma|OR=Oregon|PA=Pennsylvania|RI=Rhode Island")
    names("SC=South Carolina|SD=South Dakota|TN=Tennessee|TX=Texas|UT=Utah|VT=Vermont|VA=Virginia|WA=Washington")
    names("WV=West Virginia|WI=Wisconsin|WY=Wyoming")
    names("AB=Alberta|BC=British Columbia|MB=Manitoba|NB=New Brunswick|NL=Newfoundland and Labrador|NS=Nova Scotia")
    names("NT=Northwest Territories|NU=Nunavut|ON=Ontario|PE=Prince Edward Island|QC=Quebec|SK=Saskatchewan|YT=Yukon")
    abbrev["Washington State"] = "WA"; abbrev["Nova Scotia/Prince Edward Island"] = "NS"
    while ((getline line < sheet) > 0) {
        split(line, f, ",")
        if (f[4] ~ /^1[2-9][0-9][0-9]$/) owner[substr(f[4], 2)] = f[3]
    }
    while ((getline line < overlay) > 0)
        if (line !~ /^#/) { split(line, f, ","); over_admin[f[1]] = f[2]; over_place[f[1]] = f[3] }
}
{
    npa = $1; source = (npa in owner) ? "sheet" : "lib"
    country = (npa in owner) ? owner[npa] : $2
    if (country == "") next
    admin = $3; place = $4
    if (admin == "" && (country == "US" || country == "CA") && ($5 in abbrev)) admin = abbrev[$5]
    if (npa in over_admin) { admin = over_admin[npa]; place = over_place[npa] }
    own = country != "US" && country != "CA"
    kind = (own || admin != "") ? "geographic" : "other"
    if (npa ~ /^8(00|33|44|55|66|77|88)$/) kind = "toll-free"
    if (npa ~ /^(600|700|710|900)$/) kind = "other"
    if (kind != "geographic" || own) { admin = ""; place = "" }
    if (kind == "geographic" && place == "") place = own ? $5 : name_of[admin]
    print npa "," country "," kind "," admin "," name_of[admin] "," place "," source
}'
