"""The methods that only old clients call (contract 19.6)."""

from __future__ import annotations

from typing import Any

from perigee.sending.tests.conftest import Sending, html, requests, results


async def template(sending: Sending) -> int:
    return await sending.template(
        **{
            "from": '"Example Shop" <news@shop.example.com>',
            "subject": "Hello",
            "htmlText": "<p>Dear %TEMPLATE.name%, %TEMPLATE.sum|0%</p>",
        }
    )


async def send(sending: Sending, message_id: int, body: Any) -> Any:
    return await sending.api.post(f"/api/v1/message/{message_id}/send", body)


async def test_parameters_replace_their_tags_for_all(sending: Sending) -> None:
    params = [{"key": "TEMPLATE.name", "value": "Anna"}, {"key": "sum", "value": 5}]
    body = {
        "email": True,
        "params": params,
        "fromName": None,
        "recipients": ["a@example.com", "b@example.com"],
    }
    assert len(requests(await send(sending, await template(sending), body))) == 2
    assert ["Dear Anna, 5" in html(mail) for mail in await sending.mails()] == [True, True]


async def test_one_recipient_may_stand_without_a_list(sending: Sending) -> None:
    answer = await send(sending, await template(sending), {"recipients": "a@example.com"})
    assert answer.json()["id"] == "0"
    assert results(answer)[0]["locator"] == "a@example.com"


async def test_a_contact_or_a_segment_may_be_named(sending: Sending) -> None:
    anna = await sending.shop.person("anna@example.com")
    bo = await sending.shop.person("bo@example.com")
    message_id = await template(sending)
    assert results(await send(sending, message_id, {"contactId": anna}))[0]["locator"] == "anna@example.com"
    group = await sending.shop.segment("All", [anna, bo])
    answer = await send(sending, message_id, {"groupId": group, "params": {"key": "name", "value": "you"}})
    assert len(requests(answer)) == 2
    mails = await sending.mails()
    assert [mail["To"] for mail in mails] == ["anna@example.com", "anna@example.com", "bo@example.com"]
    assert "Dear you" in html(mails[1])


async def test_nobody_named_is_refused_and_an_unknown_template_is_404(sending: Sending) -> None:
    answer = await send(sending, await template(sending), {"email": True})
    assert (answer.status_code, answer.json()["field"]) == (400, "recipients")
    assert (await send(sending, 999, {"recipients": ["a@example.com"]})).status_code == 404


async def test_callouts_are_launched_sms_campaigns(sending: Sending) -> None:
    shop = sending.shop
    people = [await shop.person(phone=f"38050111223{n}") for n in range(3)]
    campaign = await shop.started(people, channel="sms")
    await shop.started(await shop.people(1))
    await shop.sql("update organisation set time_zone = 'Europe/Kyiv' where org_id = %(org)s")
    await shop.sql("update send set started_at = '2025-05-05 11:00+00' where org_id = %(org)s")
    await shop.run_sender()
    answer = await sending.api.get("/api/v1/callouts/sms")
    assert answer.headers["TotalCount"] == "1"
    segment = campaign.include[0]
    assert answer.json() == [
        {
            "calloutName": "News",
            "groupId": segment,
            "groupName": f"for {campaign.message_id}",
            "date": "2025-05-05T14:00:00",
            "sent": 3,
            "delivered": 3,
            "errors": 0,
        }
    ]
    beyond = await sending.api.get("/api/v1/callouts/sms?startindex=2")
    assert (beyond.json(), beyond.headers["TotalCount"]) == ([], "1")
