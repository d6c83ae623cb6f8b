"""Contract section 19 on the wire: sending to people named in a call. Details are tested beside `perigee.sending`."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.sending.tests.conftest import Sending, html, requests, results
from perigee.testing.api import Api
from perigee.testing.wire import ok, refused

TEMPLATE = {
    "name": "Order",
    "from": '"Example Shop" <news@example.com>',
    "subject": "Your discount",
    "htmlText": "<p>Discount $!data.get('discount') on $!data.get('items').get(0).get('name')</p>",
}
SMART = {
    "recipients": [
        {
            "locator": "anna@example.com",
            "jsonParam": '{"discount":"5%","items":[{"name":"Mug"}]}',
            "externalRequestId": "order-77",
        }
    ],
    "email": True,
    "fromName": None,
}
EMAIL = {
    "from": '"Example Shop" <news@example.com>',
    "subject": "Receipt",
    "htmlText": '<p>Thanks</p><a href="https://shop.example.com/a">Shop</a>',
    "plainText": "Thanks",
    "emails": ["anna@example.com"],
    "tags": ["receipt"],
    "trackUrls": True,
}
SMS = {"from": "EXAMPLE", "text": "Code 1234", "phoneNumbers": ["380501112233"]}
VIBER = {
    "from": "EXAMPLE",
    "text": "Sale",
    "iosExpirityText": "The offer has expired",
    "phoneNumbers": ["380501112233"],
    "ttlSeconds": 3600,
}
OWN = {"email": EMAIL, "sms": SMS, "viber": VIBER}
TRACKED = {
    "email": "http://perigee.test/c/",
    "sms": "http://perigee.test/s/",
    "viber": "http://perigee.test/s/",
}


@pytest.fixture
def sending(api: Api) -> Sending:
    return Sending(api)


async def template(api: Api, channel: str = "email", **members: Any) -> int:
    body = TEMPLATE if channel == "email" else {"name": "M", **members}
    return int(ok(await api.post(f"/api/v1/messages/{channel}", body)).json()["id"])


async def test_the_smartsend_example_is_queued_and_answered_collapsed(sending: Sending) -> None:
    message_id = await template(sending.api)
    answer = ok(await sending.api.post(f"/api/v1/message/{message_id}/smartsend", SMART))
    (request_id,) = requests(answer)
    assert answer.json() == {
        "id": "0",
        "results": {"id": "0", "locator": "anna@example.com", "status": "OK", "requestId": request_id},
    }
    assert await sending.shop.sql("select 1 from sandbox_message where org_id = %(org)s") == []
    assert (await sending.status(request_id))["status"] == "IN_QUEUE"
    (mail,) = await sending.mails()
    assert "Discount 5% on Mug" in html(mail)
    assert mail["From"] == TEMPLATE["from"].replace('"', "")
    assert await sending.shop.sql(
        "select external_request_id from send_recipient where org_id = %(org)s"
    ) == [("order-77",)]


async def test_several_recipients_are_answered_as_an_array_of_numbers(sending: Sending) -> None:
    message_id = await template(sending.api)
    answer = ok(await sending.smart(message_id, {"locator": "anna@example.com"}, {"locator": "bad"}))
    assert answer.json() == {
        "id": 0,
        "results": [
            {"id": 0, "locator": "anna@example.com", "status": "OK", "requestId": requests_of(answer)[0]},
            {"id": 0, "locator": "bad", "status": "ERROR", "message": "'bad' is not valid email"},
        ],
    }


def requests_of(answer: Any) -> list[str]:
    return [one["requestId"] for one in results(answer) if "requestId" in one]


async def test_a_call_of_errors_alone_is_200(sending: Sending) -> None:
    message_id = await template(sending.api)
    answer = ok(await sending.smart(message_id, {"locator": "anna@@example.com"}, {"locator": "bad"}))
    assert [one["message"] for one in answer.json()["results"]] == [
        "'anna@@example.com' is not valid email",
        "'bad' is not valid email",
    ]


@pytest.mark.parametrize(("count", "status"), [(999, 200), (1000, 200), (1001, 400)])
async def test_a_thousand_recipients_are_the_most(sending: Sending, count: int, status: int) -> None:
    message_id = await template(sending.api)
    people = [{"locator": f"p{n}@example.com"} for n in range(count)]
    answer = ok(await sending.smart(message_id, *people), status)
    assert status == 400 or len(set(requests(answer))) == count


@pytest.mark.parametrize("body", [{}, {"recipients": []}, {"recipients": None}])
async def test_recipients_are_required(sending: Sending, body: Any) -> None:
    path = f"/api/v1/message/{await template(sending.api)}/smartsend"
    assert "recipients" in refused(await sending.api.post(path, body))


@pytest.mark.parametrize("flag", [{"email": False}, {"email": "true"}, {"email": None}, {}])
async def test_the_templates_channel_decides_whatever_email_says(sending: Sending, flag: Any) -> None:
    more = {"campaignId": 7, "allowUnconfirmed": True, **flag}
    mail = await template(sending.api)
    text = await template(sending.api, "sms", **{"from": "EXAMPLE", "text": "Hi"})
    assert requests(await sending.smart(mail, {"locator": "anna@example.com"}, **more))
    assert requests(await sending.smart(text, {"locator": "380501112233"}, **more))
    assert [address for address, _, _ in await sending.arrived()] == ["anna@example.com", "380501112233"]


async def test_a_senders_name_replaces_the_name_of_an_email_and_all_of_an_sms(sending: Sending) -> None:
    mail = await template(sending.api)
    text = await template(sending.api, "sms", **{"from": "EXAMPLE", "text": "Hi"})
    await sending.smart(mail, {"locator": "anna@example.com"}, fromName="Anna")
    await sending.smart(text, {"locator": "380501112233"}, fromName="OTHER")
    await sending.smart(text, {"locator": "380501112233"}, fromName=None)
    (_, first, _), (_, second, _), (_, third, _) = await sending.arrived()
    assert "news@example.com" in first
    assert (second, third) == ("OTHER", "EXAMPLE")
    rows = await sending.shop.sql("select sender from send where org_id = %(org)s order by send_id limit 1")
    assert rows == [('"Anna" <news@example.com>',)]


async def test_a_recipient_is_named_by_id_external_id_or_locator(sending: Sending) -> None:
    anna = await sending.shop.person("anna@example.com", external_id="1001")
    message_id = await template(sending.api)
    named = ({"contactId": anna}, {"externalCustomerId": "1001"}, {"externalCustomerId": 1001})
    located = ({"locator": "anna@example.com"}, {"email": "anna@example.com"})
    answer = ok(await sending.smart(message_id, *named, *located))
    assert [one["locator"] for one in results(answer)] == ["anna@example.com"] * 5
    rows = await sending.shop.sql("select distinct contact_id from contact where org_id = %(org)s")
    assert rows == [(anna,)]


@pytest.mark.parametrize(
    ("channel", "members", "locator"),
    [
        ("sms", {"from": "EXAMPLE", "text": "Hi"}, "380501112233"),
        ("viber", {"from": "EXAMPLE", "text": "Hi"}, "380501112233"),
        ("mobilepush", {"title": "Hi", "text": "There"}, "dJ:a-b_c:1"),
        ("telegram", {"text": "Hi"}, "555000111"),
    ],
)
async def test_a_locator_is_what_the_channel_reaches_people_by_and_makes_a_contact_of_a_stranger(
    sending: Sending, channel: str, members: Any, locator: str
) -> None:
    await sending.api.post("/api/v4/senders", {"channel": "viber", "value": "EXAMPLE"})
    message_id = await template(sending.api, channel, **members)
    (result,) = results(ok(await sending.smart(message_id, {"locator": locator})))
    assert (result["locator"], result["status"]) == (locator, "OK")
    assert [address for address, _, _ in await sending.arrived()] == [locator]
    ((contact_id,),) = await sending.shop.sql("select contact_id from contact where org_id = %(org)s")
    channels = (await sending.api.get(f"/api/v1/contact/{contact_id}")).json()["channels"]
    kind = {"viber": "sms"}.get(channel, channel)
    assert [(one["type"], one["value"]) for one in channels] == [(kind, locator)]


@pytest.mark.parametrize("param", ['{"discount":"5%"}', {"discount": "5%"}, None, ""])
async def test_data_are_json_text_an_object_or_nothing(sending: Sending, param: Any) -> None:
    message_id = await template(sending.api)
    assert requests(await sending.smart(message_id, {"locator": "anna@example.com", "jsonParam": param}))
    (mail,) = await sending.mails()
    assert ("Discount 5%" in html(mail)) is bool(param)


async def test_an_unknown_template_is_404(api: Api) -> None:
    refused(await api.post("/api/v1/message/999/smartsend", SMART), 404)
    refused(await api.post("/api/v1/message/999/send", {"recipients": ["anna@example.com"]}), 404)


@pytest.mark.parametrize("channel", ["email", "sms", "viber"])
async def test_the_examples_of_messages_that_are_no_templates(sending: Sending, channel: str) -> None:
    answer = ok(await sending.api.post(f"/api/v1/message/{channel}", OWN[channel]))
    locator = "anna@example.com" if channel == "email" else "380501112233"
    (request_id,) = requests(answer)
    assert answer.json() == {
        "id": "0",
        "results": {"id": "0", "locator": locator, "status": "OK", "requestId": request_id},
    }
    ((address, _, body),) = await sending.arrived()
    assert address == locator
    assert "Thanks" in str(body) or body == "Code 1234" or (body["text"], body["ttlSec"]) == ("Sale", 3600)
    found = ok(await sending.api.get(f"/api/v1/message/{channel}/status?ids={request_id}")).json()
    assert found == {
        "results": {
            "status": "DELIVERED",
            "requestId": request_id,
            "failed": "false",
            "delivered": "true",
        }
    }
    assert len(await sending.shop.sql("select 1 from contact where org_id = %(org)s")) == 1


@pytest.mark.parametrize(
    ("channel", "member"),
    [(channel, name) for channel, names in {
        "email": ("from", "subject", "htmlText", "emails"),
        "sms": ("from", "text", "phoneNumbers"),
        "viber": ("text", "iosExpirityText", "phoneNumbers"),
    }.items() for name in names],
)  # fmt: skip
async def test_what_is_required_is_named_when_it_is_missing(api: Api, channel: str, member: str) -> None:
    body = {name: value for name, value in OWN[channel].items() if name != member}
    assert refused(await api.post(f"/api/v1/message/{channel}", body)).startswith(f"{member}:")


@pytest.mark.parametrize(("channel", "tracked"), [("email", True), ("sms", False), ("viber", True)])
async def test_links_are_tracked_by_default_of_email_and_viber_not_of_sms(
    sending: Sending, channel: str, tracked: bool
) -> None:
    text = {} if channel == "email" else {"text": "See https://shop.example.com/a"}
    body = {name: value for name, value in (OWN[channel] | text).items() if name != "trackUrls"}
    for change in ({}, {"trackUrls": True}, {"trackUrls": False}):
        ok(await sending.api.post(f"/api/v1/message/{channel}", body | change))
    bodies = [str(body) for _, _, body in await sending.arrived()]
    if channel == "email":
        bodies = [html(mail) for mail in await sending.mails()]
    assert [TRACKED[channel] in body for body in bodies] == [tracked, True, False]


@pytest.mark.parametrize("channel", ["sms", "viber"])
async def test_a_segment_may_stand_for_the_numbers(sending: Sending, channel: str) -> None:
    people = [await sending.shop.person(phone=phone) for phone in ("380501112233", "380501112244")]
    group = await sending.shop.segment("Customers", people)
    body = {name: value for name, value in OWN[channel].items() if name != "phoneNumbers"}
    answer = ok(await sending.api.post(f"/api/v1/message/{channel}", {**body, "groupId": group}))
    assert len(requests(answer)) == 2
    refused(await sending.api.post(f"/api/v1/message/{channel}", {**body, "groupId": 999}), 404)


async def test_the_time_to_live_of_viber_is_a_day_unless_said(sending: Sending) -> None:
    body = {name: value for name, value in VIBER.items() if name != "ttlSeconds"}
    ok(await sending.api.post("/api/v1/message/viber", body))
    ((_, _, card),) = await sending.arrived()
    assert card.get("ttlSec", 86_400) == 86_400


async def test_one_external_request_id_holds_for_all(sending: Sending) -> None:
    people = ["anna@example.com", "bo@example.com"]
    ok(
        await sending.api.post(
            "/api/v1/message/email", EMAIL | {"emails": people, "externalRequestId": "r-1"}
        )
    )
    rows = await sending.shop.sql("select external_request_id from send_recipient where org_id = %(org)s")
    assert rows == [("r-1",), ("r-1",)]


@pytest.mark.parametrize(("skip", "shown"), [(False, "Dear friend"), (True, "Dear %FIRSTNAME|friend%")])
async def test_personalisation_can_be_skipped(sending: Sending, skip: bool, shown: str) -> None:
    body = EMAIL | {"htmlText": "<p>Dear %FIRSTNAME|friend%</p>", "skipPersonalisation": skip}
    ok(await sending.api.post("/api/v1/message/email", body))
    (mail,) = await sending.mails()
    assert shown in html(mail)


async def test_a_message_of_a_call_may_be_velocity_as_templates_are(sending: Sending) -> None:
    text = {"text": "Code #if($data.get('code'))$!data.get('code')#else none#end"}
    ok(await sending.api.post("/api/v1/message/sms", SMS | text))
    assert [body for _, _, body in await sending.arrived()] == ["Code  none"]


async def test_the_status_of_several_is_an_array_in_both_ways_of_asking(sending: Sending) -> None:
    message_id = await template(sending.api)
    answer = await sending.smart(
        message_id, *({"locator": f"{name}@example.com"} for name in ("anna", "gone"))
    )
    first, second = requests(answer)
    await sending.shop.mark("gone@example.com", "blacklisted_at")
    await sending.shop.run_sender()
    for query in (f"{first},{second}", f"{first},%20{second}", f"{first}&ids={second}"):
        assert ok(await sending.api.get(f"/api/v1/message/status?ids={query}")).json() == {
            "results": [
                {"status": "DELIVERED", "requestId": first, "failed": False, "delivered": True},
                {"status": "BLACKLISTED", "requestId": second, "failed": True, "delivered": False},
            ]
        }


async def test_unknown_ids_are_left_out_of_the_status(sending: Sending) -> None:
    unknown = "3ff28330-0000-4000-8000-000000000001"
    assert ok(await sending.api.get(f"/api/v1/message/status?ids={unknown}")).json() == {"results": []}
    (request_id,) = requests(ok(await sending.api.post("/api/v1/message/email", EMAIL)))
    found = ok(await sending.api.get(f"/api/v1/message/status?ids={unknown},{request_id}")).json()
    assert found["results"]["requestId"] == request_id


async def test_the_old_sends_example_replaces_parameters(sending: Sending) -> None:
    message_id = await sending.template(**(TEMPLATE | {"htmlText": "<p>Dear %TEMPLATE.name%</p>"}))
    group = await sending.shop.segment("All", [await sending.shop.person("bo@example.com")])
    body = {
        "email": True,
        "params": [{"key": "TEMPLATE.name", "value": "Anna"}],
        "fromName": None,
        "recipients": ["anna@example.com"],
    }
    path = f"/api/v1/message/{message_id}/send"
    answer = ok(await sending.api.post(path, body))
    (request_id,) = requests(answer)
    assert answer.json() == {
        "id": "0",
        "results": {"id": "0", "locator": "anna@example.com", "status": "OK", "requestId": request_id},
    }
    assert requests(ok(await sending.api.post(path, body | {"recipients": None, "groupId": group})))
    mails = await sending.mails()
    assert [mail["To"] for mail in mails] == ["anna@example.com", "bo@example.com"]
    assert all("Dear Anna" in html(mail) for mail in mails)


async def test_callouts_have_the_documented_members(sending: Sending) -> None:
    people = [await sending.shop.person(phone="380501112233")]
    await sending.shop.started(people, channel="sms")
    await sending.shop.run_sender()
    (row,) = ok(await sending.api.get("/api/v1/callouts/sms?startindex=1&maxrows=1")).json()
    assert set(row) == {"calloutName", "groupId", "groupName", "date", "sent", "delivered", "errors"}
    assert (row["sent"], row["delivered"], row["errors"]) == (1, 1, 0)
    assert ok(await sending.api.get("/api/v1/callouts/sms?startindex=2")).json() == []


async def test_the_old_methods_that_no_client_calls_are_there(sending: Sending) -> None:
    refused(await sending.api.post("/api/v1/campaigns/999/start"), 404)
    refused(await sending.api.post("/api/v1/messages/999/stop"), 404)
    assert ok(await sending.api.get("/api/v1/contacts/old")).json() == []
