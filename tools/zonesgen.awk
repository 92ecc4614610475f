# Reads data/nanp/offsets.csv and data/nanp/zones.csv, in this order, and prints initialisers of struct nanp_clock.
# Run as: awk -f tools/csv.awk -f tools/zonesgen.awk data/nanp/offsets.csv data/nanp/zones.csv
/^#/ || /^[ \t]*$/ { next }
{ csv_split($0, f) }
FILENAME ~ /offsets/ {
    if (f[3] != "us" && f[3] != "none") die("summer is us or none")
    minutes[f[1]] = f[2]; summer[f[1]] = f[3] == "us" ? "true" : "false"
    next
}
{
    if (f[1] + 0 <= last) die("area codes must rise")
    last = f[1] + 0
    n = split(f[2], zone, " ")
    if (n > 4) die("an area code has at most four zones")
    printf "    { %d, %d, {", f[1], n
    for (i = 1; i <= n; i++) {
        if (!(zone[i] in minutes)) die("no offset for " zone[i])
        printf " { %d, %s, %s },", minutes[zone[i]], summer[zone[i]], c_text(zone[i])
    }
    print " } },"
}
END { if (failed) exit 1 }
