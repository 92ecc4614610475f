# Reads data/sim/ranges.csv and prints initialisers.
/^#/ || /^[ \t]*$/ { next }
{
    if (csv_split($0, f) != 5) die("a range has five fields")
    if (f[3] in seen) die("range " f[3] " stands twice")
    if (f[3] !~ /^[1-9][0-9]+$/) die("'" f[3] "' is no prefix")
    seen[f[3]] = 1
    type = f[2] == "geographic" ? "NUMBER_GEOGRAPHIC" : f[2] == "tollFree" ? "NUMBER_TOLL_FREE" : f[2] == "mobile" ? "NUMBER_MOBILE" : die("'" f[2] "' is no type")
    printf "    { %s, %s, %s, %s, %s },\n", c_text(f[1]), type, f[3], c_text(f[4]), c_text(f[5])
}
END { if (failed) exit 1 }
