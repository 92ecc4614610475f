import com.azure.communication.phonenumbers.PhoneNumbersClient;
import com.azure.communication.phonenumbers.PhoneNumbersClientBuilder;
import com.azure.communication.phonenumbers.models.PhoneNumberAssignmentType;
import com.azure.communication.phonenumbers.models.PhoneNumberCapabilities;
import com.azure.communication.phonenumbers.models.PhoneNumberCapabilityType;
import com.azure.communication.phonenumbers.models.PhoneNumberSearchOptions;
import com.azure.communication.phonenumbers.models.PhoneNumberSearchResult;
import com.azure.communication.phonenumbers.models.PhoneNumberType;
import com.azure.communication.sms.SmsClient;
import com.azure.communication.sms.SmsClientBuilder;
import com.azure.communication.sms.models.SmsSendOptions;
import com.azure.communication.sms.models.SmsSendResult;
import com.azure.core.util.Context;
import java.util.List;

/** The Java SDKs, unmodified, over TLS (javax.net.ssl.trustStore): search, buy, send an SMS, list, release. */
public final class Tour {
    private static void check(boolean holds, Object shown) {
        if (!holds) {
            throw new AssertionError(String.valueOf(shown));
        }
    }

    private static boolean listed(PhoneNumbersClient numbers, String number) {
        return numbers.listPurchasedPhoneNumbers(Context.NONE).stream().anyMatch(n -> n.getPhoneNumber().equals(number));
    }

    public static void main(String[] args) {
        String connection = System.getenv("CARTERFONE_CONNECTION_STRING");
        PhoneNumbersClient numbers = new PhoneNumbersClientBuilder().connectionString(connection).buildClient();
        SmsClient sms = new SmsClientBuilder().connectionString(connection).buildClient();

        PhoneNumberCapabilities wanted = new PhoneNumberCapabilities()
            .setCalling(PhoneNumberCapabilityType.NONE).setSms(PhoneNumberCapabilityType.INBOUND_OUTBOUND);
        PhoneNumberSearchResult found = numbers.beginSearchAvailablePhoneNumbers("US", PhoneNumberType.TOLL_FREE,
            PhoneNumberAssignmentType.APPLICATION, wanted, new PhoneNumberSearchOptions().setAreaCode("833").setQuantity(1),
            Context.NONE).getFinalResult();
        String number = found.getPhoneNumbers().get(0);
        check(number.matches("\\+1833\\d{7}"), number);
        numbers.beginPurchasePhoneNumbers(found.getSearchId(), Context.NONE).waitForCompletion();
        check(listed(numbers, number), "not listed after the purchase: " + number);

        Iterable<SmsSendResult> results = sms.sendWithResponse(number, List.of("+12065550101", "+12065550102"), "hello from Java ünï 😀",
            new SmsSendOptions().setDeliveryReportEnabled(true).setTag("java"), Context.NONE).getValue();
        for (SmsSendResult result : results) {
            check(result.isSuccessful() && result.getHttpStatusCode() == 202 && result.getMessageId() != null, result.getErrorMessage());
        }

        numbers.beginReleasePhoneNumber(number, Context.NONE).waitForCompletion();
        check(!listed(numbers, number), "still listed after the release: " + number);
        System.out.println("ok - Java: bought, sent from, listed and released " + number);
        System.exit(0);
    }
}
