"""Calls at the same moment, calls that are repeated, and our own form of the call."""

from __future__ import annotations

import asyncio

from perigee.sending.tests.conftest import Sending, html, requests


async def test_calls_at_once_to_a_new_address_make_one_contact(sending: Sending) -> None:
    message_id = await sending.template()
    answers = await asyncio.gather(
        *[
            sending.smart(message_id, {"locator": "new@example.com", "jsonParam": {"discount": n}})
            for n in range(12)
        ]
    )
    assert len({request for answer in answers for request in requests(answer)}) == 12
    assert await sending.shop.value("select count(*) from contact where org_id = %(org)s") == 1
    assert await sending.shop.value("select count(*) from send_content where org_id = %(org)s") == 1
    shown = sorted(html(mail).partition("Discount ")[2].partition("<")[0] for mail in await sending.mails())
    assert shown == sorted(str(n) for n in range(12))


async def test_our_own_form_answers_every_recipient(sending: Sending) -> None:
    message_id = await sending.template()
    anna = await sending.shop.person("anna@example.com", external_id="CRM-1")
    body = {
        "recipients": [
            {"address": "bo@example.com", "data": {"discount": "5%"}, "language": "en"},
            {"contact_id": anna, "external_request_id": "r-1"},
            {"external_id": "CRM-1"},
            {"address": "bad"},
        ]
    }
    answer = await sending.api.post(f"/api/v4/messages/{message_id}/send", body)
    assert answer.status_code == 200, answer.text
    *good, bad = answer.json()["results"]
    assert [one["locator"] for one in good] == ["bo@example.com", "anna@example.com", "anna@example.com"]
    assert all(one["request_id"] for one in good)
    assert bad["error"] == "'bad' is not valid email"
    assert answer.json()["send_id"] == await sending.shop.value(
        "select send_id from send where org_id = %(org)s"
    )
    assert len(await sending.mails()) == 3


async def test_a_repeated_call_with_a_key_sends_once(sending: Sending) -> None:
    message_id = await sending.template()
    path, body = f"/api/v4/messages/{message_id}/send", {"recipients": [{"address": "a@example.com"}]}
    first = await sending.api.post(path, body, headers={"Idempotency-Key": "k-1"})
    again = await sending.api.post(path, body, headers={"Idempotency-Key": "k-1"})
    assert again.json() == first.json()
    assert len(await sending.mails()) == 1


async def test_our_own_form_names_what_is_wrong(sending: Sending) -> None:
    message_id = await sending.template()
    path = f"/api/v4/messages/{message_id}/send"
    assert (await sending.api.post(path, {"recipients": []})).status_code == 400
    assert (
        await sending.api.post(path, {"recipients": [{"adress": "a@example.com"}], "x": 1})
    ).status_code == 400
    unknown = await sending.api.post(
        "/api/v4/messages/999/send", {"recipients": [{"address": "a@example.com"}]}
    )
    assert unknown.status_code == 404
