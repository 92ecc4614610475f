"""azure-communication-sms and azure-eventgrid for Python, unmodified, over TLS: to many recipients with one that cannot be, errors,
STOP and START of a phone, a delivery report and a message that comes in, both at a webhook and read by the Event Grid package.
This SDK has no opt-outs and no delivery report by id; the phone and the subscription are handled by the command line."""
import json
import os
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from azure.communication.sms import SmsClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.core.messaging import CloudEvent
from azure.eventgrid import EventGridEvent, SystemEventNames

connection = os.environ["CARTERFONE_CONNECTION_STRING"]
endpoint, key = [part.split("=", 1)[1] for part in connection.split(";")[:2]]
PHONE, OTHER, INVALID, ABROAD = "+12065550121", "+12065550122", "+1425555012345", "+442071838750"
arrived = []


class Hook(BaseHTTPRequestHandler):
    """Proves itself to either schema, then keeps what comes."""

    def do_OPTIONS(self):
        self.send_response(200)
        self.send_header("WebHook-Allowed-Origin", "*")
        self.end_headers()

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = b""
        for event in body if isinstance(body, list) else [body]:
            if event.get("eventType") == "Microsoft.EventGrid.SubscriptionValidationEvent":
                answer = json.dumps({"validationResponse": event["data"]["validationCode"]}).encode()
            else:
                arrived.append(event)
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def ctl(*words):
    env = {k: v for k, v in os.environ.items() if k != "CARTERFONE_CONNECTION_STRING"}
    return subprocess.run([os.environ["CARTERFONE"], "--data", os.environ["CARTERFONE_DATA"], *words], env=env, check=True,
                          capture_output=True, text=True).stdout


def event(wanted):
    """The first that came and is wanted, within 10 s."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        for one in arrived:
            if wanted(one):
                return one
        time.sleep(0.02)
    raise AssertionError(f"no such event among {arrived}")


def refused(status, call):
    try:
        call()
    except HttpResponseError as e:
        assert e.status_code == status, e
        return
    raise AssertionError(f"not refused with {status}")


def outcomes(results):
    return [(r.to, r.http_status_code, r.successful, r.error_message) for r in results]


def to_many_each_is_answered_by_itself(sms, sender):
    results = sms.send(from_=sender, to=[PHONE, INVALID, OTHER, ABROAD], message="to many ünï 😀", enable_delivery_report=True, tag="python tour")
    assert [r.http_status_code for r in results] == [202, 400, 202, 400], outcomes(results)
    assert [r.to for r in results] == [PHONE, INVALID, OTHER, ABROAD] and [r.successful for r in results] == [True, False, True, False]
    assert results[1].error_message == "Invalid To phone number format." and not results[1].message_id, results[1]
    assert "US only" in results[3].error_message and results[0].message_id != results[2].message_id
    for result in (results[0], results[2]):
        raw = event(lambda e: e.get("data", {}).get("messageId") == result.message_id and "eventType" in e)
        report = EventGridEvent.from_json(json.dumps(raw))
        assert report.event_type == SystemEventNames.AcsSmsDeliveryReportReceivedEventName, report.event_type
        assert (report.data["deliveryStatus"], report.data["tag"], report.data["to"]) == ("Delivered", "python tour", result.to), report.data
        assert report.data["deliveryAttempts"][0]["segmentsSucceeded"] == 1 and report.event_time and report.topic
    refused(401, lambda: sms.send(from_="+18335559999", to=PHONE, message="x"))
    refused(400, lambda: sms.send(from_=sender, to=PHONE, message=""))
    refused(400, lambda: sms.send(from_=sender, to=[PHONE] * 101, message="x"))
    wrong = SmsClient(endpoint, AzureKeyCredential("bm90IHRoZSBrZXk="))
    refused(401, lambda: wrong.send(from_=sender, to=PHONE, message="x"))


def what_a_phone_writes_comes_as_an_event_in_both_schemas(sender):
    ctl("handset", "sms", PHONE, sender, "hello from the phone")
    raw = event(lambda e: e.get("eventType", "").endswith("SMSReceived") and e["data"]["message"] == "hello from the phone")
    read = EventGridEvent.from_json(json.dumps(raw))
    assert read.event_type == SystemEventNames.AcsSmsReceivedEventName
    assert (read.data["from"], read.data["to"], read.data["segmentCount"]) == (PHONE, sender, 1), read.data
    raw = event(lambda e: e.get("type", "").endswith("SMSReceived") and e["data"]["message"] == "hello from the phone")
    read = CloudEvent.from_json(json.dumps(raw))
    assert read.type == SystemEventNames.AcsSmsReceivedEventName and read.data["from"] == PHONE and read.specversion == "1.0"


def stop_blocks_and_start_opens(sms, sender):
    for word, status, error in (("STOP", 400, "Sender blocked for given recipient."), ("START", 202, None)):
        ctl("handset", "sms", OTHER, sender, word)
        event(lambda e: e.get("eventType", "").endswith("SMSReceived") and e["data"]["message"] == word)
        (result,) = sms.send(from_=sender, to=OTHER, message="after the word")
        assert (result.http_status_code, result.error_message) == (status, error), outcomes([result])


hook = ThreadingHTTPServer(("127.0.0.1", 0), Hook)
threading.Thread(target=hook.serve_forever, daemon=True).start()
url = f"http://127.0.0.1:{hook.server_address[1]}"
sender = next(w for w in ctl("numbers", "buy", "--type", "toll-free", "--for", "application", "--area-code", "833").split() if w.startswith("+1833"))
ctl("events", "subscribe", "--url", f"{url}/grid", "--type", "SMSReceived", "--type", "SMSDeliveryReportReceived")
ctl("events", "subscribe", "--url", f"{url}/cloud", "--type", "SMSReceived", "--schema", "cloudevents")
sms = SmsClient.from_connection_string(connection)
to_many_each_is_answered_by_itself(sms, sender)
what_a_phone_writes_comes_as_an_event_in_both_schemas(sender)
stop_blocks_and_start_opens(sms, sender)
print(f"ok - Python: {sender} sent to many and was written to; reports and messages read by the Event Grid package; STOP and START")
