# Reads data/sms_guards.csv and prints initialisers of struct sms_guard. Run as: awk -f tools/csv.awk -f tools/guardsgen.awk FILE
/^#/ || /^[ \t]*$/ { next }
{
    if (csv_split($0, f) != 8) die("a guard has eight fields")
    if (f[1] in seen) die("guard " f[1] " stands twice")
    if (f[2] !~ /^(sender|resource|carrier|prefix|pumping|reply)$/) die("no such kind: " f[2])
    if (f[7] != "wait" && f[7] != "refuse") die("excess is wait or refuse")
    seen[f[1]] = 1
    printf "    { .name = %s, .kind = GUARD_%s, .match = %s, .count = %d, .window_s = %d, .factor = %d, .refuses = %s, .on = %s, .known = true },\n",
           c_text(f[1]), toupper(f[2]), c_text(f[3]), f[4], f[5], f[6], f[7] == "refuse" ? "true" : "false", f[2] == "reply" ? "true" : "false"
}
END { if (failed) exit 1 }
