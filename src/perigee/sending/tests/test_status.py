"""GET v1/message/status and its old forms (contract 19.5, 19.6)."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from perigee.sending.status import status_word
from perigee.sending.store import State
from perigee.sending.tests.conftest import Sending, html, requests
from perigee.testing.api import make_organisation
from perigee.testing.smtp_fixtures import StartServer


async def test_a_message_waits_and_is_delivered(sending: Sending) -> None:
    answer = await sending.smart(
        await sending.template(), {"locator": "a@example.com"}, {"locator": "b@example.com"}
    )
    first, second = requests(answer)
    assert await sending.status(second, first, second) == [
        {"status": "IN_QUEUE", "requestId": second, "failed": False, "delivered": False},
        {"status": "IN_QUEUE", "requestId": first, "failed": False, "delivered": False},
    ]
    await sending.shop.run_sender()
    assert await sending.status(first) == {
        "status": "DELIVERED",
        "requestId": first,
        "failed": "false",
        "delivered": "true",
    }


async def test_what_the_recipient_does_is_the_status(sending: Sending) -> None:
    (request,) = requests(await sending.smart(await sending.template(), {"locator": "a@example.com"}))
    (mail,) = await sending.mails()
    # People need some seconds; what clicks at once is a machine.
    await sending.shop.sql("update delivery set at = at - interval '1 minute' where org_id = %(org)s")
    page = html(mail)
    pixel = page.partition('src="http://perigee.test')[2].partition('"')[0]
    click = page.partition('href="http://perigee.test')[2].partition('"')[0]
    await sending.api.client.get(pixel)
    assert (await sending.status(request))["status"] == "READ"
    answer = await sending.api.client.get(click, follow_redirects=False)
    assert answer.headers["location"].startswith("https://shop.example.com/sale?utm_source=")
    assert await sending.status(request) == {
        "status": "CLICKED",
        "requestId": request,
        "failed": "false",
        "delivered": "true",
    }


async def test_a_refused_message_is_undelivered(sending: Sending, start_smtp_server: StartServer) -> None:
    await sending.shop.use_smtp(await start_smtp_server(answers={"a@": "550 5.1.1 no such user"}))
    (request,) = requests(await sending.smart(await sending.template(), {"locator": "a@example.com"}))
    await sending.shop.run_sender()
    found = await sending.status(request)
    assert (found["status"], found["failed"], found["delivered"]) == ("UNDELIVERED", "true", "false")


async def test_a_hit_of_a_machine_is_no_deed_of_the_recipient(sending: Sending) -> None:
    (request,) = requests(await sending.smart(await sending.template(), {"locator": "a@example.com"}))
    await sending.shop.run_sender()
    await sending.shop.sql(
        "insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status, meta)"
        " select org_id, now(), send_id, ordinal, contact_id, 'email', 'READ', '{\"machine\": \"prefetch\"}' from delivery"
        " where org_id = %(org)s returning activity_id"
    )
    assert (await sending.status(request))["status"] == "DELIVERED"


async def test_a_push_is_delivered_when_the_application_says_so(sending: Sending) -> None:
    message = await sending.template("mobilepush", title="T", text="Hi")
    (request,) = requests(await sending.smart(message, {"locator": "tok-1"}))
    await sending.shop.run_sender()
    found = await sending.status(request)
    assert (found["status"], found["failed"], found["delivered"]) == ("SENT", "false", "false")

    async def report(status: str) -> tuple[str, str, str]:
        path = f"/api/v1/interactions/{request}/status"
        answer = await sending.api.put(path, {"token": "tok-1", "status": status})
        assert answer.status_code == 200, answer.text
        found = await sending.status(request)
        return found["status"], found["failed"], found["delivered"]

    assert await report("DELIVERED") == ("DELIVERED", "false", "true")
    assert await report("UNDELIVERED") == ("UNDELIVERED", "true", "false")
    assert await report("OPENED") == ("READ", "false", "true")


async def test_unknown_ids_are_left_out(sending: Sending) -> None:
    (request,) = requests(await sending.smart(await sending.template(), {"locator": "a@example.com"}))
    made_up = str(uuid.uuid4())
    assert await sending.status(made_up, "nonsense") == []
    assert (await sending.status(made_up, request, "x"))["requestId"] == request
    _, key = await make_organisation(sending.api.db, "Other")
    answer = await sending.api.get("/api/v1/message/status", params={"ids": request}, key=key)
    assert answer.json() == {"results": []}


async def test_ids_are_needed_and_come_in_both_ways(sending: Sending) -> None:
    assert (await sending.api.get("/api/v1/message/status")).status_code == 400
    answer = await sending.smart(
        await sending.template(), {"locator": "a@example.com"}, {"locator": "b@example.com"}
    )
    first, second = requests(answer)
    for query in (f"ids={first},%20{second}", f"ids={first}&ids={second}"):
        found = (await sending.api.get(f"/api/v1/message/status?{query}")).json()["results"]
        assert [one["requestId"] for one in found] == [first, second]


@pytest.mark.parametrize("channel", ["email", "sms", "viber"])
async def test_the_old_forms_answer_the_same(sending: Sending, channel: str) -> None:
    (request,) = requests(await sending.smart(await sending.template(), {"locator": "a@example.com"}))
    new = await sending.api.get("/api/v1/message/status", params={"ids": request})
    old = await sending.api.get(f"/api/v1/message/{channel}/status", params={"ids": request})
    assert old.json() == new.json()


@pytest.mark.parametrize(
    ("channel", "outcome", "reason", "statuses", "word"),
    [
        ("email", None, None, [], "IN_QUEUE"),
        ("email", "sent", None, [], "DELIVERED"),
        ("email", "sent", None, ["READ", "SPAM"], "SPAM"),
        ("email", "sent", None, ["READ", "UNSUBSCRIBED"], "UNSUBSCRIBED"),
        ("email", "dropped", "unconfirmed", [], "NOT_CONFIRMED"),
        ("email", "dropped", "unsubscribed", [], "UNSUBSCRIBED"),
        ("email", "dropped", "category", [], "UNSUBSCRIBED"),
        ("email", "dropped", "complained", [], "SPAM"),
        ("email", "dropped", "blacklisted", [], "BLACKLISTED"),
        ("email", "dropped", "blocked", [], "UNDELIVERED"),
        ("email", "dropped", "deleted", [], "ERROR"),
        ("email", "failed", "bad_message", [], "ERROR"),
        ("email", "failed", "mailbox_full", [], "UNDELIVERED"),
        ("email", "uncertain", "answer_lost", [], "IN_QUEUE"),
        ("sms", None, None, [], "IN_QUEUE"),
        ("sms", "uncertain", "answer_lost", [], "PENDING"),
        ("sms", "sent", None, ["CLICKED"], "DELIVERED"),
        ("sms", "failed", "expired", [], "EXPIRED"),
        ("sms", "failed", "blocked", [], "SMS_UNDELIVERED_STATE"),
        ("viber", "sent", None, ["READ"], "READ"),
        ("viber", "sent", None, ["READ", "CLICKED"], "CLICKED"),
        ("viber", "failed", "no_such_recipient", [], "VIBER_UNKNOWN_USER"),
        ("viber", "failed", "expired", [], "VIBER_EXPIRED_STATE"),
        ("viber", "dropped", "blacklisted", [], "VIBER_UNDELIVERED_STATE"),
        ("telegram", "sent", None, ["READ", "CLICKED"], "CLICKED"),
        ("webpush", "sent", None, [], "DELIVERED"),
        ("mobilepush", "uncertain", "answer_lost", [], "IN_QUEUE"),
        ("telegram", "failed", "blocked", [], "BOT_SEND_ERROR"),
    ],
)
def test_every_channel_has_its_words(
    channel: str, outcome: Any, reason: Any, statuses: list[str], word: str
) -> None:
    assert status_word(State(channel, outcome, reason, False, statuses)) == word


def test_an_sms_that_waits_for_another_try_is_pending() -> None:
    assert status_word(State("sms", None, None, True, [])) == "PENDING"
