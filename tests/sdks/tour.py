"""The Python SDKs, unmodified, over TLS (REQUESTS_CA_BUNDLE): search, buy, send an SMS, list, release."""
import os
import re
import sys

from azure.communication.phonenumbers import (PhoneNumberAssignmentType, PhoneNumberCapabilities, PhoneNumberCapabilityType,
                                              PhoneNumbersClient, PhoneNumberType)
from azure.communication.sms import SmsClient

connection = os.environ["CARTERFONE_CONNECTION_STRING"]
numbers = PhoneNumbersClient.from_connection_string(connection)
sms = SmsClient.from_connection_string(connection)

found = numbers.begin_search_available_phone_numbers(
    "US", PhoneNumberType.TOLL_FREE, PhoneNumberAssignmentType.APPLICATION,
    PhoneNumberCapabilities(calling=PhoneNumberCapabilityType.NONE, sms=PhoneNumberCapabilityType.INBOUND_OUTBOUND),
    area_code="833", quantity=1).result()
number = found.phone_numbers[0]
assert re.fullmatch(r"\+1833\d{7}", number), number
numbers.begin_purchase_phone_numbers(found.search_id).result()

owned = numbers.get_purchased_phone_number(number)
assert owned.capabilities.sms == "inbound+outbound", owned.capabilities
results = sms.send(from_=number, to=["+12065550101", "+12065550102"], message="hello from Python ünï 😀",
                   enable_delivery_report=True, tag="python")
assert [r.http_status_code for r in results] == [202, 202], results
assert all(r.successful and r.message_id for r in results), results
assert number in [n.phone_number for n in numbers.list_purchased_phone_numbers()]

numbers.begin_release_phone_number(number).result()
assert number not in [n.phone_number for n in numbers.list_purchased_phone_numbers()]
print("ok - Python: bought, sent from, listed and released", number, file=sys.stdout)
