# Reads data/rates/*.csv. which = "groups": name, type, country, price of each line. which = "prefixes": "prefix line" pairs, to
# be put in order by sort -n and turned into initialisers by which = "rows".
/^#/ || /^[ \t]*$/ { next }
which == "rows" {
    if ($1 == last) die("prefix " $1 " is priced twice")
    last = $1
    printf "    { %s, %d },\n", $1, $2
    next
}
{
    if (csv_split($0, f) != 5) die("a price has five fields")
    if (which == "groups") printf "    { %s, %s, %s, %d },\n", c_text(f[1]), c_text(f[2]), c_text(f[3]), f[4]
    n = split(f[5], prefix, " ")
    for (i = 1; which == "prefixes" && i <= n; i++) print prefix[i], line + 0
    line++
}
END { if (failed) exit 1 }
