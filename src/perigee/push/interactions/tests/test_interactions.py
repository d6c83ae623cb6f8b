"""Reports of pushes over the wire (contract 22.6)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from perigee.db.pool import Database
from perigee.keys import Keys
from perigee.lib.ids import message_uuid
from perigee.testing.api import SECRET, Api, make_organisation
from perigee.testing.sending import Shop

TOKEN = "fcm-token:1_a-b"
NOW = "now() - interval '1 hour'"


class Phone(Shop):
    """Anna's phone, to which one push was sent an hour ago. Bo has one, too."""

    api: Api
    anna: int
    bo: int
    send_id: int

    @classmethod
    async def of(cls, api: Api, channel: str = "mobilepush") -> Phone:
        phone = cls(api.db, api.org_id)
        phone.api = api
        phone.anna = await phone.person("anna@example.com")
        phone.bo = await phone.person("bo@example.com")
        for contact, token in ((phone.anna, TOKEN), (phone.bo, "fcm-bo")):
            await phone.give_token(contact, token)
        phone.send_id = await phone.value(
            "with kept as (insert into send_content (org_id, digest, content) values (%(org)s, 'x', '{}'))"
            " insert into send (org_id, started_at, kind, channel, marketing, provider_id, content_digest)"
            " values (%(org)s, now() - interval '1 hour', 'campaign', %(c)s, true, 1, 'x') returning send_id",
            c=channel,
        )
        return phone

    async def give_token(self, contact: int, token: str) -> None:
        await self.sql(
            "insert into push_token (org_id, kind, app_id, token, contact_id)"
            " values (%(org)s, 'mobilepush', 'app', %(t)s, %(c)s)",
            t=token,
            c=contact,
        )

    async def ledger(self, outcome: str = "sent") -> None:
        await self.sql(
            "insert into delivery (org_id, send_started_at, send_id, ordinal, contact_id, address, outcome, at)"
            " select org_id, started_at, send_id, 0, %(c)s, %(t)s, %(o)s, started_at from send"
            " where org_id = %(org)s and send_id = %(s)s",
            c=self.anna,
            t=TOKEN,
            o=outcome,
            s=self.send_id,
        )

    @property
    def iid(self) -> str:
        return str(message_uuid(Keys.of(SECRET).message_ids, self.org_id, self.send_id, 0))

    async def tell(self, iid: str | None = None, *, key: str | None = None, **body: Any) -> httpx.Response:
        return await self.api.put(
            f"/api/v1/interactions/{iid or self.iid}/status",
            {"token": TOKEN, "status": "DELIVERED", **body},
            key=key,
        )

    async def activities(self) -> list[tuple[str, int]]:
        return await self.sql(
            "select status, contact_id from activity where org_id = %(org)s order by activity_id"
        )


@pytest.fixture
async def phone(api: Api) -> Phone:
    phone = await Phone.of(api)
    await phone.ledger()
    return phone


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("DELIVERED", "DELIVERED"),
        ("OPENED", "READ"),
        ("CLICKED", "CLICKED"),
        ("undelivered", "UNDELIVERED"),
    ],
)
async def test_a_report_becomes_activity_and_the_answer_is_empty(
    phone: Phone, word: str, status: str
) -> None:
    answer = await phone.tell(status=word)
    assert (answer.status_code, answer.content) == (200, b"")
    assert await phone.activities() == [(status, phone.anna)]


async def test_a_report_that_is_repeated_is_recorded_once(phone: Phone) -> None:
    for word in ("DELIVERED", "OPENED", "DELIVERED", "OPENED", "OPENED"):
        assert (await phone.tell(status=word)).status_code == 200
    assert [status for status, _ in await phone.activities()] == ["DELIVERED", "READ"]
    assert await phone.value("select count(*) from delivery where org_id = %(org)s") == 1


async def test_the_same_report_many_times_at_once_is_recorded_once(phone: Phone) -> None:
    answers = await asyncio.gather(*[phone.tell(status="CLICKED") for _ in range(20)])
    assert {answer.status_code for answer in answers} == {200}
    assert await phone.activities() == [("CLICKED", phone.anna)]


async def test_time_is_when_it_happened_as_the_feed_shows(phone: Phone) -> None:
    happened = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=10)
    assert (await phone.tell(time=happened.strftime("%Y-%m-%dT%H:%M:%S"))).status_code == 200
    days = {"dateFrom": str((happened - timedelta(days=1)).date()), "dateTo": str(datetime.now(UTC).date())}
    (row,) = (await phone.api.get("/api/v2/contacts/activity", params=days)).json()
    assert row["activityDateTime"] == happened.strftime("%Y-%m-%dT%H:%M:%S")
    assert (row["iid"], row["mobPushToken"], row["activityStatus"]) == (phone.iid, TOKEN, "DELIVERED")


@pytest.mark.parametrize("time", ["2025-05-04T15:11:17", "2199-01-01T00:00:00Z", None, " "])
async def test_a_clock_that_is_wrong_or_silent_counts_as_now(phone: Phone, time: str | None) -> None:
    assert (await phone.tell(time=time)).status_code == 200
    assert await phone.sql("select meta from activity where org_id = %(org)s") == [(None,)]


async def test_a_renewed_token_of_the_same_person_fits(phone: Phone) -> None:
    await phone.give_token(phone.anna, "fcm-renewed")
    assert (await phone.tell(token="fcm-renewed")).status_code == 200
    assert await phone.activities() == [("DELIVERED", phone.anna)]


@pytest.mark.parametrize("token", ["fcm-bo", "unknown"])
async def test_another_token_is_refused(phone: Phone, token: str) -> None:
    answer = await phone.tell(token=token)
    assert answer.status_code == 404
    assert "is not found" in answer.json()["message"]
    assert await phone.activities() == []


async def test_one_bad_report_among_good_ones_fails_alone(phone: Phone) -> None:
    bad, good = await asyncio.gather(phone.tell(token="fcm-bo"), phone.tell(status="OPENED"))
    assert (bad.status_code, good.status_code) == (404, 200)
    assert await phone.activities() == [("READ", phone.anna)]


@pytest.mark.parametrize(
    "iid", ["99d591ab-0000-4000-8000-000000000001", "99d591ab-0000-8000-8000-000000000001", "17", "a'b"]
)
async def test_an_id_that_we_did_not_make_is_not_found(phone: Phone, iid: str) -> None:
    assert (await phone.tell(iid)).status_code == 404


async def test_another_organisations_message_is_not_found(phone: Phone, db: Database) -> None:
    _, key = await make_organisation(db, "Other Shop")
    assert (await phone.tell(key=key)).status_code == 404
    assert await phone.activities() == []


async def test_a_message_in_hand_is_reported_before_the_ledger_has_it(api: Api) -> None:
    phone = await Phone.of(api)
    assert (await phone.tell()).status_code == 404
    await phone.sql(
        "insert into send_batch (org_id, send_id, batch_no, recipients, ordinals, owner)"
        " select %(org)s, %(s)s, 1, array[token_id], '{0}', gen_random_uuid() from push_token"
        " where org_id = %(org)s and token = %(t)s",
        s=phone.send_id,
        t=TOKEN,
    )
    assert (await phone.tell(token="fcm-bo")).status_code == 404
    assert (await phone.tell()).status_code == 200
    assert await phone.activities() == [("DELIVERED", phone.anna)]


async def test_who_was_dropped_has_nothing_to_report(api: Api) -> None:
    phone = await Phone.of(api)
    await phone.ledger("dropped")
    assert (await phone.tell()).status_code == 404


async def test_an_email_is_no_push(api: Api) -> None:
    phone = await Phone.of(api, "email")
    await phone.ledger()
    assert (await phone.tell()).status_code == 404


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"token": None}, "token: is required"),
        ({"token": " "}, "token: is required"),
        ({"status": None}, "status: is required"),
        ({"status": "SEEN"}, "status: 'SEEN' is not one of DELIVERED, OPENED, CLICKED, UNDELIVERED"),
        ({"status": {"a": 1}}, "status: "),
        ({"time": "yesterday"}, "time: 'yesterday' is not a date with time"),
    ],
)
async def test_bad_input_is_named(phone: Phone, body: dict[str, Any], words: str) -> None:
    answer = await phone.tell(**body)
    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert await phone.activities() == []


async def test_a_push_that_is_only_handed_over_is_sent_and_not_yet_delivered(api: Api) -> None:
    phone = await Phone.of(api)
    await phone.started([phone.anna], channel="mobilepush", versions={"en": {"title": "Hi", "text": "There"}})
    await phone.run_sender()
    rows = await phone.activities()
    assert rows == [("SENT", phone.anna)]
