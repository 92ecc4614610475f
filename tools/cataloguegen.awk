# Reads data/catalogue/<edition>/*.csv, the editions in order, and prints what = "rows", "countries" or "usage".
function cap(s) {
    return s == "none" ? "CAP_NONE" : s == "inbound" ? "CAP_INBOUND" : s == "outbound" ? "CAP_OUTBOUND" : \
           s == "inbound+outbound" ? "CAP_BOTH" : die("'" s "' is no capability")
}
BEGIN {
    items["callOutFrom"] = "USAGE_CALL_OUT_FROM"; items["callIn"] = "USAGE_CALL_IN"
    items["smsOut"] = "USAGE_SMS_OUT"; items["smsOutSurcharge"] = "USAGE_SMS_OUT_SURCHARGE"
    items["smsIn"] = "USAGE_SMS_IN"; items["smsInSurcharge"] = "USAGE_SMS_IN_SURCHARGE"
}
FNR == 1 { split(FILENAME, part, "/"); edition = part[3] }
/^#/ || /^[ \t]*$/ { next }
{ n = csv_split($0, f) }
what == "rows" {
    if (n != 13) die("availability has thirteen fields")
    printf "    { %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s },\n", c_text(edition), c_text(f[1]),
        f[2] == "tollFree" ? "NUMBER_TOLL_FREE" : "NUMBER_GEOGRAPHIC", f[3] == "person" ? "ASSIGNED_PERSON" : "ASSIGNED_APPLICATION",
        cap(f[4]), cap(f[5]), c_text(f[6]), c_text(f[7]), c_text(f[8]), c_text(f[9]), f[10], f[11] == 1 ? "true" : "false", c_text(f[12]), c_text(f[13])
}
what == "countries" { printf "    { %s, %s, %s },\n", c_text(edition), c_text(f[1]), c_text(f[2]) }
what == "usage" {
    if (n != 5) die("usage has five fields")
    if (!(f[3] in items)) die("'" f[3] "' is no item of usage")
    printf "    { %s, %s, %s, %s, %s, %d },\n", c_text(edition), c_text(f[1]), f[2] == "tollFree" ? "NUMBER_TOLL_FREE" : "NUMBER_GEOGRAPHIC",
        items[f[3]], c_text(f[4]), f[5]
}
END { if (failed) exit 1 }
