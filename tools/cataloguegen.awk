# Reads data/catalogue/<edition>/*.csv, the editions in order, and prints what = "rows" or what = "countries".
function cap(s) {
    return s == "none" ? "CAP_NONE" : s == "inbound" ? "CAP_INBOUND" : s == "outbound" ? "CAP_OUTBOUND" : \
           s == "inbound+outbound" ? "CAP_BOTH" : die("'" s "' is no capability")
}
FNR == 1 { split(FILENAME, part, "/"); edition = part[3] }
/^#/ || /^[ \t]*$/ { next }
{ n = csv_split($0, f) }
what == "rows" {
    if (n != 12) die("availability has twelve fields")
    printf "    { %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s },\n", c_text(edition), c_text(f[1]),
        f[2] == "tollFree" ? "NUMBER_TOLL_FREE" : "NUMBER_GEOGRAPHIC", f[3] == "person" ? "ASSIGNED_PERSON" : "ASSIGNED_APPLICATION",
        cap(f[4]), cap(f[5]), c_text(f[6]), c_text(f[7]), c_text(f[8]), c_text(f[9]), f[10], f[11] == 1 ? "true" : "false", c_text(f[12])
}
what == "countries" { printf "    { %s, %s, %s },\n", c_text(edition), c_text(f[1]), c_text(f[2]) }
END { if (failed) exit 1 }
