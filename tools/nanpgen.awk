# Reads data/nanp/npa.csv (which = "npa") or data/e164/country_codes.csv (which = "codes") and prints initialisers.
/^#/ || /^[ \t]*$/ { next }
{ csv_split($0, f) }
{
    if (f[1] + 0 <= last) die("codes must rise")
    last = f[1] + 0
}
which == "npa" {
    kind = f[3] == "geographic" ? "NANP_GEOGRAPHIC" : f[3] == "toll-free" ? "NANP_TOLL_FREE" : "NANP_OTHER"
    printf "    { %d, %s, %s, %s, %s, %s },\n", f[1], c_text(f[2]), kind, c_text(f[4]), c_text(f[5]), c_text(f[6])
}
which == "codes" { printf "    { %d, %s, %d, %d },\n", f[1], c_text(f[2]), f[3], f[4] }
END { if (failed) exit 1 }
