# Reads data/catalogue/<edition>/*.csv, the editions in order, and prints what = "rows", "countries" or "usage".
function cap(s) {
    return s == "none" ? "CAP_NONE" : s == "inbound" ? "CAP_INBOUND" : s == "outbound" ? "CAP_OUTBOUND" : \
           s == "inbound+outbound" ? "CAP_BOTH" : die("'" s "' is no capability")
}
function of(table, s, what) {
    if (!(s in table)) die("'" s "' is no " what)
    return table[s]
}
function whole(s) {                     # as text: some awks cannot print what is over 32 bits
    if (s !~ /^[0-9]+$/) die("'" s "' is no whole number")
    return s
}
BEGIN {
    items["callOutFrom"] = "USAGE_CALL_OUT_FROM"; items["callIn"] = "USAGE_CALL_IN"
    items["smsOut"] = "USAGE_SMS_OUT"; items["smsOutSurcharge"] = "USAGE_SMS_OUT_SURCHARGE"
    items["smsIn"] = "USAGE_SMS_IN"; items["smsInSurcharge"] = "USAGE_SMS_IN_SURCHARGE"
    items["setup"] = "USAGE_SETUP"; items["monthly"] = "USAGE_MONTHLY"
    types["geographic"] = "NUMBER_GEOGRAPHIC"; types["tollFree"] = "NUMBER_TOLL_FREE"; types["mobile"] = "NUMBER_MOBILE"
    types["tenDlc"] = "SENDER_TEN_DLC"; types["shortCode"] = "SENDER_SHORT_CODE"
    types["alphanumericId"] = "SENDER_ALPHANUMERIC"; types["trial"] = "NUMBER_TRIAL"
    assignments["person"] = "ASSIGNED_PERSON"; assignments["application"] = "ASSIGNED_APPLICATION"
    yes["ownUse"] = yes["preview"] = "true"; yes[""] = yes["GA"] = "false"
    items["voipLeg"] = "USAGE_VOIP_LEG"
}
FNR == 1 { split(FILENAME, part, "/"); edition = part[3] }
/^#/ || /^[ \t]*$/ { next }
{ n = csv_split($0, f) }
what == "rows" {
    if (n != 15) die("availability has fifteen fields")
    printf "    { %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s },\n", c_text(edition), c_text(f[1]),
        of(types, f[2], "type"), of(assignments, f[3], "assignment"), cap(f[4]), cap(f[5]), c_text(f[6]), c_text(f[7]),
        c_text(f[8]), c_text(f[9]), whole(f[10]), c_text(f[11]), c_text(f[12]), of(yes, f[13], "term"),
        of(yes, f[14], "status"), c_text(f[15])
}
what == "countries" { printf "    { %s, %s, %s },\n", c_text(edition), c_text(f[1]), c_text(f[2]) }
what == "usage" {
    if (n != 5) die("usage has five fields")
    printf "    { %s, %s, %s, %s, %s, %s },\n", c_text(edition), c_text(f[1]), of(types, f[2], "type"),
        of(items, f[3], "item of usage"), c_text(f[4]), whole(f[5])
}
END { if (failed) exit 1 }
