# Reads data/countries/names.csv and prints one row a country: { "DE", { "Deutschland", ... } }, by rising code. The languages
# stand in the order of enum country_language.
# Run as: awk -f tools/csv.awk -f tools/countriesgen.awk data/countries/names.csv
/^#/ || /^[ \t]*$/ { next }
{
    n = csv_split($0, f)
    if (n != 12) die("a country has its code and 11 names")
    if (f[1] !~ /^[A-Z][A-Z]$/ || f[1] <= last) die("codes rise: '" f[1] "'")
    last = f[1]
    printf "{ %s, { ", c_text(f[1])
    for (i = 2; i <= n; i++) printf "%s%s", c_text(f[i]), i < n ? ", " : " } },\n"
}
END { if (failed) exit 1 }
