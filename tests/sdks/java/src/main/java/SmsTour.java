import com.azure.communication.sms.SmsClient;
import com.azure.communication.sms.SmsClientBuilder;
import com.azure.communication.sms.models.SmsSendOptions;
import com.azure.communication.sms.models.SmsSendResult;
import com.azure.core.credential.AzureKeyCredential;
import com.azure.core.exception.HttpResponseException;
import com.azure.core.models.CloudEvent;
import com.azure.core.util.BinaryData;
import com.azure.core.util.Context;
import com.azure.messaging.eventgrid.EventGridEvent;
import com.azure.messaging.eventgrid.SystemEventNames;
import com.azure.messaging.eventgrid.systemevents.AcsSmsDeliveryReportReceivedEventData;
import com.azure.messaging.eventgrid.systemevents.AcsSmsReceivedEventData;
import com.azure.messaging.eventgrid.systemevents.SubscriptionValidationEventData;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** azure-communication-sms and azure-messaging-eventgrid for Java, unmodified, over TLS: to many recipients with one that cannot be,
 *  errors, STOP and START of a phone, a delivery report and a message that comes in, both at a webhook and read by the Event Grid
 *  package. This SDK has no opt-outs and no delivery report by id; the phone and the subscription are handled by the command line. */
public final class SmsTour {
    private static final String PHONE = "+12065550123";
    private static final String OTHER = "+12065550124";
    private static final String INVALID = "+1425555012345";
    private static final String ABROAD = "+442071838750";
    private static final LinkedBlockingQueue<EventGridEvent> grid = new LinkedBlockingQueue<>();
    private static final LinkedBlockingQueue<CloudEvent> cloud = new LinkedBlockingQueue<>();

    private static void check(boolean holds, Object shown) {
        if (!holds) {
            throw new AssertionError(String.valueOf(shown));
        }
    }

    /** Proves itself to either schema, then keeps what comes. */
    private static void hook(HttpExchange exchange) throws IOException {
        String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
        byte[] answer = new byte[0];
        if (exchange.getRequestMethod().equals("OPTIONS")) {
            exchange.getResponseHeaders().add("WebHook-Allowed-Origin", "*");
        } else if (exchange.getRequestURI().getPath().equals("/cloud")) {
            cloud.addAll(CloudEvent.fromString(body));
        } else {
            for (EventGridEvent event : EventGridEvent.fromString(body)) {
                if (event.getEventType().equals(SystemEventNames.EVENT_GRID_SUBSCRIPTION_VALIDATION)) {
                    String code = event.getData().toObject(SubscriptionValidationEventData.class).getValidationCode();
                    answer = ("{\"validationResponse\":\"" + code + "\"}").getBytes(StandardCharsets.UTF_8);
                } else {
                    grid.add(event);
                }
            }
        }
        exchange.sendResponseHeaders(200, answer.length == 0 ? -1 : answer.length);
        if (answer.length > 0) {
            exchange.getResponseBody().write(answer);
        }
        exchange.close();
    }

    private static String ctl(String... words) {
        try {
            List<String> command = new ArrayList<>(List.of(System.getenv("CARTERFONE"), "--data", System.getenv("CARTERFONE_DATA")));
            command.addAll(List.of(words));
            ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
            builder.environment().remove("CARTERFONE_CONNECTION_STRING");
            Process process = builder.start();
            String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            check(process.waitFor() == 0, command + ": " + said);
            return said;
        } catch (IOException | InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** The first that comes within 10 s and is wanted; others are dropped. */
    private static <T> T next(LinkedBlockingQueue<T> from, Predicate<T> wanted) throws InterruptedException {
        for (long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(10); System.nanoTime() < end; ) {
            T one = from.poll(100, TimeUnit.MILLISECONDS);
            if (one != null && wanted.test(one)) {
                return one;
            }
        }
        throw new AssertionError("no such event");
    }

    private static void refused(int status, Runnable call) {
        try {
            call.run();
        } catch (HttpResponseException e) {
            check(e.getResponse().getStatusCode() == status, e.getMessage());
            return;
        }
        throw new AssertionError("not refused with " + status);
    }

    private static void toManyEachIsAnsweredByItself(SmsClient sms, String from) throws InterruptedException {
        List<SmsSendResult> results = new ArrayList<>();
        sms.sendWithResponse(from, List.of(PHONE, INVALID, OTHER, ABROAD), "to many ünï 😀",
            new SmsSendOptions().setDeliveryReportEnabled(true).setTag("java tour"), Context.NONE).getValue().forEach(results::add);
        check(results.stream().map(SmsSendResult::getHttpStatusCode).toList().equals(List.of(202, 400, 202, 400)), "statuses");
        check(results.stream().map(SmsSendResult::getTo).toList().equals(List.of(PHONE, INVALID, OTHER, ABROAD)), "order");
        check("Invalid To phone number format.".equals(results.get(1).getErrorMessage()) && results.get(1).getMessageId() == null,
            results.get(1).getErrorMessage());
        check(results.get(3).getErrorMessage().contains("US only"), results.get(3).getErrorMessage());
        for (int left = 2; left > 0; left--) {
            EventGridEvent event = next(grid, e -> e.getEventType().equals(SystemEventNames.COMMUNICATION_SMS_DELIVERY_REPORT_RECEIVED));
            AcsSmsDeliveryReportReceivedEventData report = event.getData().toObject(AcsSmsDeliveryReportReceivedEventData.class);
            check("Delivered".equals(report.getDeliveryStatus()) && "java tour".equals(report.getTag()), report.getDeliveryStatusDetails());
            check(results.stream().anyMatch(r -> r.isSuccessful() && r.getMessageId().equals(report.getMessageId())
                && r.getTo().equals(report.getTo())), report.getMessageId());
            check(report.getReceivedTimestamp() != null && report.getDeliveryAttempts().get(0).getSegmentsSucceeded() == 1, "attempts");
        }
        refused(401, () -> sms.send("+18335559999", PHONE, "x"));
        refused(400, () -> sms.send(from, PHONE, ""));
        refused(400, () -> sms.send(from, java.util.Collections.nCopies(101, PHONE), "x").forEach(r -> { }));
    }

    private static boolean says(BinaryData data, String text) {
        return data.toObject(AcsSmsReceivedEventData.class).getMessage().equals(text);
    }

    private static void whatAPhoneWritesComesAsAnEventInBothSchemas(String from) throws InterruptedException {
        ctl("handset", "sms", PHONE, from, "hello from the phone");
        EventGridEvent event = next(grid, e -> e.getEventType().equals(SystemEventNames.COMMUNICATION_SMS_RECEIVED));
        AcsSmsReceivedEventData read = event.getData().toObject(AcsSmsReceivedEventData.class);
        check(read.getFrom().equals(PHONE) && read.getTo().equals(from) && read.getMessage().equals("hello from the phone"), read.getMessage());
        check(read.getReceivedTimestamp() != null && event.getSubject() != null && event.getTopic() != null, event.getId());
        CloudEvent same = next(cloud, e -> e.getType().equals(SystemEventNames.COMMUNICATION_SMS_RECEIVED));
        check(says(same.getData(), "hello from the phone") && same.getTime() != null, same.getId());
    }

    private static void stopBlocksAndStartOpens(SmsClient sms, String from) throws InterruptedException {
        for (String word : List.of("STOP", "START")) {
            ctl("handset", "sms", OTHER, from, word);
            next(grid, e -> e.getEventType().equals(SystemEventNames.COMMUNICATION_SMS_RECEIVED) && says(e.getData(), word));
            SmsSendResult result = sms.send(from, OTHER, "after the word");
            boolean open = word.equals("START");
            check(result.isSuccessful() == open && result.getHttpStatusCode() == (open ? 202 : 400), word + ": " + result.getErrorMessage());
            check(open ? result.getErrorMessage() == null : result.getErrorMessage().equals("Sender blocked for given recipient."), word);
        }
    }

    public static void main(String[] args) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", SmsTour::hook);
        server.start();
        String url = "http://127.0.0.1:" + server.getAddress().getPort();
        Matcher bought = Pattern.compile("\\+1833\\d{7}").matcher(ctl("numbers", "buy", "--type", "toll-free", "--for", "application", "--area-code", "833"));
        check(bought.find(), "nothing bought");
        String from = bought.group();
        ctl("events", "subscribe", "--url", url + "/grid", "--type", "SMSReceived", "--type", "SMSDeliveryReportReceived");
        ctl("events", "subscribe", "--url", url + "/cloud", "--type", "SMSReceived", "--schema", "cloudevents");
        String connection = System.getenv("CARTERFONE_CONNECTION_STRING");
        SmsClient sms = new SmsClientBuilder().connectionString(connection).buildClient();
        String endpoint = connection.split(";")[0].substring("endpoint=".length());
        toManyEachIsAnsweredByItself(sms, from);
        whatAPhoneWritesComesAsAnEventInBothSchemas(from);
        stopBlocksAndStartOpens(sms, from);
        SmsClient wrong = new SmsClientBuilder().endpoint(endpoint).credential(new AzureKeyCredential("bm90IHRoZSBrZXk=")).buildClient();
        refused(401, () -> wrong.send(from, PHONE, "x"));
        System.out.println("ok - Java: " + from + " sent to many and was written to; reports and messages read by the Event Grid package; STOP and START");
        System.exit(0);
    }
}
