import com.azure.communication.phonenumbers.PhoneNumbersClient;
import com.azure.communication.phonenumbers.PhoneNumbersClientBuilder;
import com.azure.communication.phonenumbers.models.PhoneNumberAssignmentType;
import com.azure.communication.phonenumbers.models.PhoneNumberCapabilities;
import com.azure.communication.phonenumbers.models.PhoneNumberCapabilityType;
import com.azure.communication.phonenumbers.models.PhoneNumberSearchOptions;
import com.azure.communication.phonenumbers.models.PhoneNumberSearchResult;
import com.azure.communication.phonenumbers.models.PhoneNumberType;
import com.azure.communication.phonenumbers.models.PurchasedPhoneNumber;
import com.azure.communication.phonenumbers.siprouting.SipRoutingClient;
import com.azure.communication.phonenumbers.siprouting.SipRoutingClientBuilder;
import com.azure.communication.phonenumbers.siprouting.models.SipTrunk;
import com.azure.communication.phonenumbers.siprouting.models.SipTrunkRoute;
import com.azure.communication.sms.SmsClient;
import com.azure.communication.sms.SmsClientBuilder;
import com.azure.communication.sms.models.SmsSendOptions;
import com.azure.communication.sms.models.SmsSendResult;
import com.azure.core.exception.HttpResponseException;
import com.azure.core.util.Context;
import java.util.List;

/** The Java SDKs, unmodified, over TLS (javax.net.ssl.trustStore): search, buy, change, list, get, send an SMS, release; what is
 *  sold; direct routing. This SDK has no reservations and no browsing. */
public final class Tour {
    private static void check(boolean holds, Object shown) {
        if (!holds) {
            throw new AssertionError(String.valueOf(shown));
        }
    }

    private static boolean listed(PhoneNumbersClient numbers, String number) {
        return numbers.listPurchasedPhoneNumbers(Context.NONE).stream().anyMatch(n -> n.getPhoneNumber().equals(number));
    }

    private static void refused(int status, String what, Runnable call) {
        try {
            call.run();
        } catch (HttpResponseException e) {
            check(e.getResponse().getStatusCode() == status && e.getMessage().contains(what), e.getMessage());
            return;
        }
        throw new AssertionError("not refused: " + what);
    }

    /** @return the number */
    private static String boughtChangedUsedAndReleased(PhoneNumbersClient numbers, SmsClient sms) {
        PhoneNumberCapabilities wanted = new PhoneNumberCapabilities()
            .setCalling(PhoneNumberCapabilityType.NONE).setSms(PhoneNumberCapabilityType.INBOUND_OUTBOUND);
        PhoneNumberSearchResult found = numbers.beginSearchAvailablePhoneNumbers("US", PhoneNumberType.TOLL_FREE,
            PhoneNumberAssignmentType.APPLICATION, wanted, new PhoneNumberSearchOptions().setAreaCode("833").setQuantity(1),
            Context.NONE).getFinalResult();
        String number = found.getPhoneNumbers().get(0);
        check(number.matches("\\+1833\\d{7}"), number);
        check(found.getCost().getAmount() == 2.0, found.getCost().getAmount());
        numbers.beginPurchasePhoneNumbers(found.getSearchId(), Context.NONE).waitForCompletion();
        check(listed(numbers, number), "not listed after the purchase: " + number);

        PurchasedPhoneNumber changed = numbers.beginUpdatePhoneNumberCapabilities(number, new PhoneNumberCapabilities()
            .setCalling(PhoneNumberCapabilityType.OUTBOUND).setSms(PhoneNumberCapabilityType.OUTBOUND), Context.NONE).getFinalResult();
        check(changed.getCapabilities().getCalling().equals(PhoneNumberCapabilityType.OUTBOUND), changed.getCapabilities().getCalling());
        PurchasedPhoneNumber owned = numbers.getPurchasedPhoneNumber(number);
        check(owned.getCapabilities().getSms().equals(PhoneNumberCapabilityType.OUTBOUND), owned.getCapabilities().getSms());
        check(owned.getPurchaseDate() != null && owned.getId().equals(number.substring(1)), owned.getId());

        Iterable<SmsSendResult> results = sms.sendWithResponse(number, List.of("+12065550101", "+12065550102"), "hello from Java ünï 😀",
            new SmsSendOptions().setDeliveryReportEnabled(true).setTag("java"), Context.NONE).getValue();
        for (SmsSendResult result : results) {
            check(result.isSuccessful() && result.getHttpStatusCode() == 202 && result.getMessageId() != null, result.getErrorMessage());
        }

        numbers.beginReleasePhoneNumber(number, Context.NONE).waitForCompletion();
        check(!listed(numbers, number), "still listed after the release: " + number);
        refused(404, "cannot be found", () -> numbers.getPurchasedPhoneNumber(number));
        refused(400, "server encountered an internal error", () -> numbers.beginSearchAvailablePhoneNumbers("US",
            PhoneNumberType.TOLL_FREE, PhoneNumberAssignmentType.PERSON, wanted).getFinalResult());
        return number;
    }

    private static void whatIsSoldIsListed(PhoneNumbersClient numbers) {
        check(numbers.listAvailableCountries().stream().anyMatch(c -> c.getCountryCode().equals("US")), "US is not listed");
        check(numbers.listAvailableLocalities("US", "WA").stream().anyMatch(p -> p.getLocalizedName().equals("Seattle")), "no Seattle");
        check(numbers.listAvailableTollFreeAreaCodes("US").stream().anyMatch(a -> a.getAreaCode().equals("833")), "no 833");
        check(numbers.listAvailableGeographicAreaCodes("US", PhoneNumberAssignmentType.PERSON, "Seattle", "WA").stream()
            .anyMatch(a -> a.getAreaCode().equals("206")), "no 206");
        check(numbers.listAvailableOfferings("US", PhoneNumberType.GEOGRAPHIC, null).stream().count() == 2, "offerings");
    }

    private static void trunksAndRoutesAreSetInTheirOrder(SipRoutingClient sip) {
        String one = "java1.contoso.com";
        String two = "java2.contoso.com";
        sip.setTrunks(List.of(new SipTrunk(two, 5061), new SipTrunk(one, 5062)));
        sip.setTrunk(new SipTrunk(one, 5063));
        check(sip.getTrunk(one).getSipSignalingPort() == 5063, sip.getTrunk(one).getSipSignalingPort());
        sip.setRoutes(List.of(new SipTrunkRoute("z", "^\\+1").setTrunks(List.of(one)), new SipTrunkRoute("a", ".*")));
        check(sip.listRoutes().stream().map(SipTrunkRoute::getName).toList().equals(List.of("z", "a")), "order of routes");
        refused(422, "UnprocessableConfiguration", () -> sip.deleteTrunk(one));
        sip.setRoutes(List.of());
        sip.deleteTrunk(one);
        check(sip.listTrunks().stream().map(SipTrunk::getFqdn).toList().equals(List.of(two)), "what is left");
        sip.setTrunks(List.of());
    }

    public static void main(String[] args) {
        String connection = System.getenv("CARTERFONE_CONNECTION_STRING");
        PhoneNumbersClient numbers = new PhoneNumbersClientBuilder().connectionString(connection).buildClient();
        SmsClient sms = new SmsClientBuilder().connectionString(connection).buildClient();
        SipRoutingClient sip = new SipRoutingClientBuilder().connectionString(connection).buildClient();
        String number = boughtChangedUsedAndReleased(numbers, sms);
        whatIsSoldIsListed(numbers);
        trunksAndRoutesAreSetInTheirOrder(sip);
        System.out.println("ok - Java: " + number + " bought, changed, sent from, listed and released; trunks and routes set");
        System.exit(0);
    }
}
