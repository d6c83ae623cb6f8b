"""Past events and their deletion (contract 16.4–16.7)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from perigee.errors import Invalid
from perigee.events.past import period
from perigee.events.tests.conftest import Events

KYIV = ZoneInfo("Europe/Kyiv")
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")


def past(**members: Any) -> dict[str, Any]:
    event = {
        "eventTypeKey": "lessonDone",
        "keyValue": "k",
        "occurred": YESTERDAY,
        "params": {"email": "anna@example.com"},
    }
    return {name: value for name, value in (event | members).items() if value is not None}


@pytest.mark.parametrize("version", [1, 2, 3])
async def test_the_examples_of_all_versions(events: Events, version: int) -> None:
    contact_id = await events.add_contact(email="anna@example.com")
    params: Any = {"email": "anna@example.com"}
    if version < 3:
        params = [{"name": "email", "value": "anna@example.com"}]
    answer = await events.past(past(keyValue="anna@example.com", params=params), version=version)
    assert answer.status_code == 200
    assert answer.json() == {"results": [{"status": "ACCEPTED"}], "successCount": 1, "errorCount": 0}
    assert await events.stored() == [
        ("lessonDone", "anna@example.com", contact_id, {"email": "anna@example.com"}, "past")
    ]


async def test_one_result_per_event_in_order(events: Events) -> None:
    await events.set_type("closed", use_for_segments=False)
    answer = await events.past(
        past(),
        past(occurred=None),
        past(occurred="yesterday"),
        past(occurred="2001-01-01"),
        past(occurred="2199-01-01T00:00"),
        past(eventTypeKey="closed"),
        past(eventTypeKey=None),
        "no event",
        past(),
    )
    assert answer.json() == {
        "results": [
            {"status": "ACCEPTED"},
            {"status": "OCCURRED_DATE_IS_REQUIRED"},
            {"status": "INCORRECT_OCCURRED_DATE_FORMAT"},
            {"status": "OCCURRED_TIME_TOO_DEPTH"},
            {"status": "OCCURRED_TIME_IN_FUTURE"},
            {"status": "EVENT_SEGMENTATION_DISABLED"},
            {"status": "SERVER_ERROR", "message": "eventTypeKey: is required"},
            {"status": "SERVER_ERROR", "message": "event: is not an object"},
            {"status": "ACCEPTED"},
        ],
        "successCount": 2,
        "errorCount": 7,
    }
    assert len(await events.stored()) == 2


async def test_it_makes_no_contacts(events: Events) -> None:
    await events.past(past())
    assert (await events.stored())[0][2] is None
    assert await events.contacts() == []


async def test_a_date_without_offset_is_in_the_organisations_zone(events: Events) -> None:
    await events.api.rows("update organisation set time_zone = 'Europe/Kyiv' where org_id = %(org_id)s")
    day = datetime.now(KYIV).date() - timedelta(days=3)
    await events.past(past(occurred=day.isoformat()))
    ((moment,),) = await events.api.rows("select occurred_at from event where org_id = %(org_id)s")
    assert moment == datetime(day.year, day.month, day.day, tzinfo=KYIV)


async def test_501_events_are_400_that_names_the_limit(events: Events) -> None:
    answer = await events.past(*[past()] * 501)
    assert answer.status_code == 400
    assert answer.json()["message"] == "events: 501 events are more than 500, the most for one call"
    assert await events.stored() == []


# Deletion


@pytest.mark.parametrize(
    ("first", "last", "start", "end"),
    [
        ("2025-03-01T00:00", "2025-03-31T23:59", datetime(2025, 2, 28, 22), datetime(2025, 3, 31, 21)),
        ("2025-03-01", "2025-03-01", datetime(2025, 2, 28, 22), datetime(2025, 3, 1, 22)),
        ("2025-03-30", "2025-03-30", datetime(2025, 3, 29, 22), datetime(2025, 3, 30, 21)),
        ("2025-03-01T00:00:00Z", "2025-03-01T00:00:00Z", datetime(2025, 3, 1), datetime(2025, 3, 1, 0, 0, 1)),
    ],
)
def test_both_ends_are_included_whole(first: str, last: str, start: datetime, end: datetime) -> None:
    assert period(first, last, KYIV) == (start.replace(tzinfo=UTC), end.replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (None, "2025-03-01", "from: is required"),
        ("2025-03-01", "", "to: is required"),
        ("bad", "2025-03-01", "from: 'bad' is not a date"),
        ("2025-03-02", "2025-03-01", "from: '2025-03-02' is after to"),
    ],
)
def test_bad_periods(first: Any, last: Any, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        period(first, last, KYIV)


async def fill(events: Events) -> list[str]:
    """Past events of three days, one of today and one as it happens; the three days."""
    days = [(datetime.now(UTC) - timedelta(days=back)).strftime("%Y-%m-%d") for back in (5, 4, 3)]
    answer = await events.past(*(past(keyValue=day, occurred=f"{day}T12:00") for day in days))
    assert answer.json()["successCount"] == 3
    await events.post(keyValue="live")
    return days


async def keys(events: Events) -> list[str]:
    return [row[1] for row in await events.stored()]


@pytest.mark.parametrize("place", ["body", "query"])
async def test_delete_by_body_or_query(events: Events, place: str) -> None:
    first, second, third = await fill(events)
    asked = {"from": f"{first}T00:00", "to": f"{second}T12:00"}
    answer = await events.api.delete(
        "/api/v1/past_events", **({"json": asked} if place == "body" else {"params": asked})
    )
    assert (answer.status_code, answer.content) == (200, b"")
    assert await keys(events) == [third, "live"]


async def test_events_recorded_as_they_happened_stay(events: Events) -> None:
    await fill(events)
    today = datetime.now(UTC).strftime("%Y-%m-%d")
    await events.api.delete("/api/v1/past_events", {"from": "2000-01-01", "to": today})
    assert await keys(events) == ["live"]


async def test_a_delete_without_a_period_is_400_and_deletes_nothing(events: Events) -> None:
    await fill(events)
    bodies: list[Any] = [None, [], {}, {"from": "2025-01-01"}]
    for body in bodies:
        assert (await events.api.delete("/api/v1/past_events", body)).status_code == 400
    assert len(await keys(events)) == 4


async def test_sending_events_again_is_not_offered(events: Events) -> None:
    assert (await events.api.get("/api/v1/event?eventTypeId=1&start=a&end=b")).status_code == 404
