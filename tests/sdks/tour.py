"""The Python SDKs, unmodified, over TLS (REQUESTS_CA_BUNDLE): search, buy, change, list, get, send an SMS, release; browse and
reservations; direct routing. Ends by asserting that no public method of the two phone-number clients was left out."""
import os
import re
import uuid

from azure.communication.phonenumbers import (PhoneNumberAssignmentType, PhoneNumberCapabilities, PhoneNumberCapabilityType,
                                              PhoneNumbersClient, PhoneNumberType)
from azure.communication.phonenumbers.siprouting import SipRoutingClient, SipTrunk, SipTrunkRoute
from azure.communication.sms import SmsClient
from azure.core.exceptions import HttpResponseError

connection = os.environ["CARTERFONE_CONNECTION_STRING"]
called = set()


def watch(client_class):
    """Note each public method that is called from now on."""
    names = {n for n, f in vars(client_class).items() if callable(f) and not n.startswith("_")}

    def noting(name, method):
        def call(*args, **kwargs):
            called.add((client_class.__name__, name))
            return method(*args, **kwargs)
        return call

    for name in names:
        setattr(client_class, name, noting(name, getattr(client_class, name)))
    return {(client_class.__name__, name) for name in names}


public = watch(PhoneNumbersClient) | watch(SipRoutingClient)
numbers = PhoneNumbersClient.from_connection_string(connection)
sip = SipRoutingClient.from_connection_string(connection)
sms = SmsClient.from_connection_string(connection)
TOLL_FREE, LOCAL = PhoneNumberType.TOLL_FREE, PhoneNumberType.GEOGRAPHIC
FOR_APPLICATION = PhoneNumberAssignmentType.APPLICATION
BOTH, NONE, OUTBOUND = (PhoneNumberCapabilityType.INBOUND_OUTBOUND, PhoneNumberCapabilityType.NONE, PhoneNumberCapabilityType.OUTBOUND)


def listed():
    return [n.phone_number for n in numbers.list_purchased_phone_numbers()]


def refused(status, rule, call):
    """The call must be refused with this status; the answer must name this rule and what to do."""
    try:
        call()
    except HttpResponseError as e:
        error = e.response.json()["error"]
        assert e.status_code == status and error["innererror"]["code"] == rule, (e.status_code, error)
        assert error["innererror"]["message"], error
        return
    raise AssertionError(f"not refused: {rule}")


def a_number_is_bought_changed_used_and_released():
    found = numbers.begin_search_available_phone_numbers(
        "US", TOLL_FREE, FOR_APPLICATION, PhoneNumberCapabilities(calling=NONE, sms=BOTH), area_code="833", quantity=1).result()
    number = found.phone_numbers[0]
    assert re.fullmatch(r"\+1833\d{7}", number), number
    assert (found.cost.amount, found.cost.billing_frequency) == (2.0, "monthly"), found.cost
    numbers.begin_purchase_phone_numbers(found.search_id).result()

    owned = numbers.get_purchased_phone_number(number)
    assert (owned.capabilities.calling, owned.capabilities.sms) == ("none", "inbound+outbound"), owned.capabilities
    changed = numbers.begin_update_phone_number_capabilities(number, OUTBOUND, OUTBOUND).result()
    assert (changed.capabilities.calling, changed.capabilities.sms) == ("outbound", "outbound"), changed.capabilities
    assert numbers.get_purchased_phone_number(number).capabilities.calling == "outbound"
    assert number in listed()

    results = sms.send(from_=number, to=["+12065550101", "+12065550102"], message="hello from Python ünï 😀",
                       enable_delivery_report=True, tag="python")
    assert [r.http_status_code for r in results] == [202, 202], results
    assert all(r.successful and r.message_id for r in results), results
    known = numbers.search_operator_information(number)
    assert known.values[0].phone_number == number, known

    numbers.begin_release_phone_number(number).result()
    assert number not in listed()
    refused(404, "NumberNotFound", lambda: numbers.get_purchased_phone_number(number))
    refused(400, "TollFreeNotForPerson", lambda: numbers.begin_search_available_phone_numbers(
        "US", TOLL_FREE, PhoneNumberAssignmentType.PERSON, PhoneNumberCapabilities(calling=BOTH, sms=NONE)))
    return number


def what_is_sold_is_listed():
    assert [c.country_code for c in numbers.list_available_countries()] == ["US"]
    assert "Seattle" in [p.localized_name for p in numbers.list_available_localities("US", administrative_division="WA")]
    assert "206" in [a.area_code for a in numbers.list_available_area_codes("US", LOCAL, locality="Seattle", administrative_division="WA")]
    assert [a.area_code for a in numbers.list_available_area_codes("US", TOLL_FREE)] == ["800", "833", "844", "855", "866", "877", "888"]
    offers = list(numbers.list_available_offerings("US", phone_number_type=LOCAL))
    assert {o.available_capabilities.sms for o in offers} == {"none"} and len(offers) == 2, offers


def numbers_are_browsed_reserved_and_bought():
    shown = numbers.browse_available_phone_numbers(country_code="US", phone_number_type=LOCAL, calling_capability=BOTH,
                                                   assignment_type=FOR_APPLICATION, phone_number_prefixes=["1425"]).phone_numbers
    a, b = shown[0], shown[1]
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    made = numbers.create_or_update_reservation(reservation_id=first, numbers_to_add=[a, b])
    assert [n.status for n in made.phone_numbers.values()] == ["reserved", "reserved"], made
    partly = numbers.create_or_update_reservation(reservation_id=second, numbers_to_add=[b])
    assert partly.phone_numbers[b.id].status == "error" and partly.phone_numbers[b.id].error.code == "NumberNotAvailable", partly
    left = numbers.create_or_update_reservation(reservation_id=first, numbers_to_remove=[b.id])
    assert list(left.phone_numbers) == [a.id], left
    numbers.delete_reservation(second)
    refused(404, "ReservationNotFound", lambda: numbers.get_reservation(second))
    assert first in [r.id for r in numbers.list_reservations()]
    numbers.begin_purchase_reservation(first, agree_to_not_resell=True).result()
    assert numbers.get_reservation(first).status == "completed"
    assert a.phone_number in listed()


def trunks_and_routes_are_set_in_their_order():
    one, two = "python1.contoso.com", "python2.contoso.com"
    sip.set_trunks([SipTrunk(fqdn=two, sip_signaling_port=5061), SipTrunk(fqdn=one, sip_signaling_port=5062)])
    sip.set_trunk(SipTrunk(fqdn=one, sip_signaling_port=5063))
    assert sip.get_trunk(one).sip_signaling_port == 5063
    sip.set_routes([SipTrunkRoute(name="z", number_pattern=r"^\+1", trunks=[one]), SipTrunkRoute(name="a", number_pattern=".*")])
    assert [r.name for r in sip.list_routes()] == ["z", "a"]
    refused(422, "MissingTrunk", lambda: sip.delete_trunk(one))
    sip.set_routes([])
    sip.delete_trunk(one)
    assert [t.fqdn for t in sip.list_trunks()] == [two]
    sip.set_trunks([])
    sip.close()


bought = a_number_is_bought_changed_used_and_released()
what_is_sold_is_listed()
numbers_are_browsed_reserved_and_bought()
trunks_and_routes_are_set_in_their_order()
assert not public - called, f"methods of the SDK that nothing here calls: {sorted(public - called)}"
print(f"ok - Python: {bought} bought, changed, sent from, listed and released; all {len(public)} methods of both clients called")
