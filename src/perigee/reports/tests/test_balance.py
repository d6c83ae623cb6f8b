"""Balance and daily figures over the wire (contract 8.3, 8.4)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from perigee.reports.tests.conftest import Books, at
from perigee.testing.api import Api

FREE = {
    "fundsWithdrawal": 0.0,
    "fundsRefund": 0.0,
    "bonusReceived": 0,
    "reservedFundsWithdrawal": 0.0,
    "reservedFundsRefund": 0.0,
}


async def test_the_balance_is_fixed_and_free_messages_do_not_run_out(api: Api) -> None:
    await api.rows("update organisation set currency = 'EUR' where org_id = %(org_id)s")
    answer = await api.get("/api/v1/balance")
    assert answer.json() == {
        "currentBalance": 0.0,
        "creditLimit": 0.0,
        "currency": "EUR",
        "bonusEmails": 1_000_000,
        "bonusSmses": 1_000_000,
    }


@pytest.mark.parametrize(
    ("setting", "shown"),
    [
        ('{"currentBalance": 120.5, "bonusSmses": 10}', (120.5, 1_000_000, 10)),
        ('{"currentBalance": "12.5"}', (12.5, 1_000_000, 1_000_000)),
        ('"nonsense"', (0.0, 1_000_000, 1_000_000)),
        ('{"currentBalance": "much"}', (0.0, 1_000_000, 1_000_000)),
    ],
)
async def test_an_organisation_may_show_another_balance(
    api: Api, setting: str, shown: tuple[float, int, int]
) -> None:
    await api.rows(
        "update organisation set settings = jsonb_build_object('balance', %(b)s::jsonb) where org_id = %(org_id)s",
        b=setting,
    )
    found = (await api.get("/api/v1/balance")).json()
    assert (found["currentBalance"], found["bonusEmails"], found["bonusSmses"]) == shown


async def history(books: Books, first: str = "2026-03-01", last: str = "2026-03-31") -> dict[str, Any]:
    answer = await books.api.get("/api/v1/balance/history", params={"dateFrom": first, "dateTo": last})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def sums(found: dict[str, Any]) -> dict[tuple[str, str], int]:
    return {
        (day["date"], one["mediaType"]): one["totalSent"]
        for day in found["dailyCosts"]
        for one in day["channelDetails"]
    }


async def batch(books: Books, send_id: int, *, sent: int, done: float | None) -> None:
    await books.sql(
        "insert into send_batch (org_id, send_id, batch_no, recipients, ordinals, sent, done_at)"
        " select %(org)s, %(s)s, 1 + count(*), '{}', '{}', %(n)s, %(d)s from send_batch"
        " where org_id = %(org)s and send_id = %(s)s",
        s=send_id,
        n=sent,
        d=None if done is None else at(done),
    )


async def finished(books: Books, send_id: int, minute: float) -> None:
    await books.sql(
        "update send set state = 'finished', finished_at = %(at)s where org_id = %(org)s and send_id = %(s)s",
        at=at(minute),
        s=send_id,
    )


async def test_a_days_messages_are_shown_with_all_their_figures(books: Books) -> None:
    send = await books.send()
    await batch(books, send, sent=120, done=5)
    await finished(books, send, 5)
    assert await history(books) == {
        "currency": "USD",
        "dailyCosts": [
            {
                "date": "2026-03-10T00:00:00",
                "channelDetails": [
                    {"mediaType": "email", "totalSent": 120, "totalParts": 120, "bonusSpent": 120, **FREE}
                ],
            }
        ],
    }


async def test_a_send_over_midnight_is_counted_on_each_of_its_days(books: Books) -> None:
    send = await books.send("telegram", minute=14 * 60 + 30)  # 23:30
    for ordinal, minute in enumerate((14 * 60 + 40, 14 * 60 + 50, 15 * 60 + 10)):
        await books.ledger(send, 0, None, ordinal=ordinal, minute=minute)
    await books.ledger(send, 0, None, ordinal=9, minute=15 * 60 + 10, outcome="failed")
    await batch(books, send, sent=3, done=15 * 60 + 11)
    assert sums(await history(books)) == {
        ("2026-03-10T00:00:00", "telegrambot"): 2,
        ("2026-03-11T00:00:00", "telegrambot"): 1,
    }


async def test_days_are_those_of_the_organisations_zone(books: Books) -> None:
    await books.sql("update organisation set time_zone = 'Asia/Tokyo' where org_id = %(org)s")
    send = await books.send(minute=14 * 60)  # 23:00 UTC, 08:00 of the next day in Tokyo
    await batch(books, send, sent=2, done=16 * 60)
    await finished(books, send, 16 * 60)
    assert sums(await history(books)) == {("2026-03-11T00:00:00", "email"): 2}
    assert sums(await history(books, "2026-03-10", "2026-03-10")) == {}
    assert sums(await history(books, "2026-03-11", "2026-03-11")) == {("2026-03-11T00:00:00", "email"): 2}


async def test_only_days_of_the_period_and_only_days_with_messages(books: Books) -> None:
    for day in (0, 1, 5):
        send = await books.send(minute=day * 1440)
        await batch(books, send, sent=day + 1, done=day * 1440 + 1)
        await finished(books, send, day * 1440 + 1)
    assert sums(await history(books, "2026-03-11", "2026-03-15")) == {
        ("2026-03-11T00:00:00", "email"): 2,
        ("2026-03-15T00:00:00", "email"): 6,
    }


async def test_a_real_campaign_is_counted_as_the_ledger_has_it(books: Books) -> None:
    people = await books.people(3)
    await books.mark("person-3@example.com", "unsubscribed_at")
    await books.started(people)
    await books.run_sender()
    today = datetime.now(UTC).date()
    found = sums(await history(books, str(today - timedelta(days=1)), str(today + timedelta(days=1))))
    rows = await books.sql(
        "select (at at time zone 'UTC')::date, count(*) from delivery"
        " where org_id = %(org)s and outcome = 'sent' group by 1"
    )
    assert found == {(f"{day}T00:00:00", "email"): count for day, count in rows}
    assert sum(found.values()) == 2


async def test_without_dates_the_history_is_todays(books: Books) -> None:
    before = str(datetime.now(UTC).date())
    await books.started(await books.people(1))
    await books.run_sender()
    found = (await books.api.get("/api/v1/balance/history")).json()
    after = str(datetime.now(UTC).date())
    assert found == await history(books, after, after)
    assert before != after or sum(sums(found).values()) == 1


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        (
            "dateFrom=2026-03-02&dateTo=2026-03-01",
            400,
            "dateTo: '2026-03-01' is before dateFrom '2026-03-02'",
        ),
        ("dateFrom=yesterday", 400, "dateFrom: 'yesterday' is not a date"),
        ("dateFrom=2026-01-01&dateTo=2026-04-02", 419, "is more than 90 days after dateFrom"),
        ("dateFrom=1999-01-01", 419, "is more than 90 days after dateFrom"),
    ],
)
async def test_bad_periods(api: Api, query: str, status: int, words: str) -> None:
    answer = await api.get(f"/api/v1/balance/history?{query}")
    assert answer.status_code == status
    assert answer.json()["status"] == status
    assert words in answer.json()["message"]


async def test_ninety_days_are_the_longest_period(api: Api) -> None:
    answer = await api.get("/api/v1/balance/history?dateFrom=2026-01-01&dateTo=2026-04-01")
    assert (answer.status_code, answer.json()) == (200, {"currency": "USD", "dailyCosts": []})
