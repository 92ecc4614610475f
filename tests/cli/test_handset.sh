# handset set, behaviours, say, record, reject, clear: what the command line says, and what --sim-handsets refuses.
set -eu
. tests/lib.sh

if said=$("$CARTERFONE" sim --data "$TMPDIR/none" --sim-sip 127.0.0.1:0 --sim-smpp 127.0.0.1:0 --sim-handsets '+12065550101 anser-after=2s' 2>&1)
then echo "taken: a behaviour that is none"; exit 1; fi
case $said in *"--sim-handsets: "*"did you mean 'answer-after'"*) ;; *) echo "it says: $said"; exit 1 ;; esac

start_server --sim-handsets '* answer-after=0; +12065550140 refuse=486'
ctl handset list | grep '+12065550140 .*refuse=486'
ctl handset behaviours | grep '^early-media  *FILE|ringback|busy|tone  *none  *is heard by 183'
ctl handset set +12065550141 answer-after=1500ms echo=dtmf | grep 'from its next call on: .*answer-after=1500ms'
ctl handset set +12065550141 echo= | grep -v dtmf
ctl handset list --json | grep -q '"behaviour":\["answer-after=1500ms"\]'
ctl handset set 911 refuse=503 && ctl handset clear 911
if ctl handset set +12065550141 echo=loud 2>"$TMPDIR/said"; then exit 1; fi
grep "echo: 'loud' is not dtmf, audio or no" "$TMPDIR/said"
if ctl handset set +12065550141 say=no/such.wav 2>"$TMPDIR/said"; then exit 1; fi
grep "$PWD/no/such.wav cannot be read" "$TMPDIR/said"       # a path from here

number=$(ctl numbers buy --type local --for application --area-code 206 --calling inbound+outbound | grep -o '+1206[0-9]*' | head -n 1)
ctl handset attach +12065550142
ctl call place --from "$number" --to +12065550142
i=0; until ctl handset list | grep -q '+12065550142 .*ringing'; do i=$((i + 1)); [ $i -lt 100 ]; sleep 0.1; done
ctl handset reject +12065550142 --status 480 --cause 20 | grep refused
i=0; until ctl handset list | grep -q '+12065550142 .* 480 .* 20'; do i=$((i + 1)); [ $i -lt 100 ]; sleep 0.1; done
ctl handset detach +12065550142
ctl call place --from "$number" --to +12065550142          # as everybody was told: at once
i=0; until ctl handset list | grep -q '+12065550142 .*connected'; do i=$((i + 1)); [ $i -lt 100 ]; sleep 0.1; done
ctl handset record +12065550142 "$TMPDIR/heard.wav"
ctl handset say +12065550142 tone
ctl handset hangup +12065550142
i=0; until [ -s "$TMPDIR/heard.wav" ]; do i=$((i + 1)); [ $i -lt 100 ]; sleep 0.1; done
ctl handset clear
! ctl handset list --json | grep behaviour
stop_server
