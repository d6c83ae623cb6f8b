"""Promo codes on the old wire (contract 21.1–21.3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from perigee.testing.api import Api, make_organisation

PATH = "/api/v1/promocodes"
BODY = {
    "promocodes": ["MAY-1", "MAY-2"],
    "expirationDate": "2099-12-31T23:59",
    "discount": 10,
    "type": "type1",
    "inUse": False,
}


async def upload(api: Api, **change: Any) -> None:
    answer = await api.post(PATH, BODY | change)
    assert answer.status_code == 200, answer.text


async def codes(api: Api, query: str = "") -> list[str]:
    answer = await api.get(f"{PATH}?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.headers["TotalCount"] == str(len(answer.json()))
    return [row["code"] for row in answer.json()]


async def test_the_upload_is_echoed_and_listed(api: Api) -> None:
    answer = await api.post(PATH, BODY)
    assert (answer.status_code, answer.json()) == (200, BODY)
    shown = {key: BODY[key] for key in ("discount", "type", "expirationDate", "inUse")}
    assert (await api.get(PATH)).json() == [{"code": code, **shown} for code in ("MAY-1", "MAY-2")]


async def test_what_was_not_sent_is_not_echoed(api: Api) -> None:
    body = {"promocodes": ["A"], "expirationDate": "2099-12-31T23:59", "discount": 5}
    assert (await api.post(PATH, body)).json() == body
    assert (await api.get(PATH)).json() == [
        {"code": "A", "discount": 5, "expirationDate": "2099-12-31T23:59", "inUse": False}
    ]


async def test_the_query_fills_what_the_body_leaves_out_and_the_body_wins(api: Api) -> None:
    query = "expirationDate=2098-01-01T10:00&discount=7&type=query&inUse=1"
    answer = await api.post(f"{PATH}?{query}", {"promocodes": ["A"], "discount": "9", "type": " "})
    assert answer.json() == {
        "promocodes": ["A"],
        "expirationDate": "2098-01-01T10:00",
        "discount": 9,
        "type": "query",
        "inUse": True,
    }


async def test_known_codes_are_updated(api: Api) -> None:
    await upload(api)
    await upload(api, promocodes=["MAY-2", "MAY-3"], discount=20, type=None)
    found = {row["code"]: (row["discount"], row.get("type")) for row in (await api.get(PATH)).json()}
    assert found == {"MAY-1": (10, "type1"), "MAY-2": (20, "type1"), "MAY-3": (20, None)}


async def test_a_used_code_stays_used_until_the_caller_says_otherwise(api: Api) -> None:
    await upload(api, inUse=True)
    await upload(api, inUse=None)
    assert await codes(api, "inUse=true") == ["MAY-1", "MAY-2"]
    await upload(api, inUse=False, promocodes="MAY-1")
    assert await codes(api, "inUse=1") == ["MAY-2"]
    assert await codes(api, "inUse=0") == ["MAY-1"]


async def test_filters_narrow_the_list_and_go_together(api: Api) -> None:
    await upload(api)
    await upload(api, promocodes=["JUNE"], type="type2", discount=20)
    assert await codes(api, "type=type2") == ["JUNE"]
    assert await codes(api, "discount=10") == ["MAY-1", "MAY-2"]
    assert await codes(api, "discount=10&type=type2") == []
    assert await codes(api, "something=else") == ["JUNE", "MAY-1", "MAY-2"]


async def test_active_due_days_count_from_tomorrow_in_the_organisations_zone(api: Api) -> None:
    await api.rows("update organisation set time_zone = 'Pacific/Auckland' where org_id = %(org_id)s")
    today = datetime.now(UTC).astimezone(ZoneInfo("Pacific/Auckland")).date()
    for days in range(4):
        await upload(api, promocodes=[f"D{days}"], expirationDate=f"{today + timedelta(days=days)}T23:59")
    assert await codes(api, "activeDueDays=1") == ["D1", "D2", "D3"]
    assert await codes(api, "activeDueDays=3") == ["D3"]
    assert await codes(api, "activeDueDays=4") == []
    assert (await api.get(f"{PATH}/count?activeDueDays=2")).json() == 2


async def test_the_dates_are_those_of_the_organisations_zone(api: Api) -> None:
    await api.rows("update organisation set time_zone = 'Europe/Kyiv' where org_id = %(org_id)s")
    await upload(api, promocodes=["A"], expirationDate="2099-07-01T00:30")
    assert (await api.get(PATH)).json()[0]["expirationDate"] == "2099-07-01T00:30"
    stored = await api.rows("select expires_at from promo_code where org_id = %(org_id)s")
    assert stored[0][0] == datetime(2099, 6, 30, 21, 30, tzinfo=UTC)


async def test_a_bare_date_means_its_last_minute(api: Api) -> None:
    await upload(api, promocodes=["A"], expirationDate="2099-07-01")
    assert (await api.get(PATH)).json()[0]["expirationDate"] == "2099-07-01T23:59"


async def test_the_count_is_a_bare_number_of_what_is_left(api: Api) -> None:
    assert (await api.get(f"{PATH}/count")).text == "0"
    await upload(api)
    await upload(api, promocodes=["USED"], inUse=True)
    await upload(api, promocodes=["OVER"], expirationDate="2020-01-01T00:00")
    await upload(api, promocodes=["OTHER"], type="type2", discount=5)
    assert (await api.get(f"{PATH}/count")).text == "3"
    assert (await api.get(f"{PATH}/count?type=type1&discount=10")).text == "2"


async def test_ten_thousand_codes_in_one_call(api: Api) -> None:
    many = [f"CODE-{number:05}" for number in range(10_000)]
    await upload(api, promocodes=many)
    assert (await api.get(f"{PATH}/count")).text == "10000"
    answer = await api.get(f"{PATH}?startindex=9999&maxrows=5")
    assert [row["code"] for row in answer.json()] == many[-2:]
    assert answer.headers["TotalCount"] == "10000"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"promocodes": []}, "promocodes"),
        ({"promocodes": [" "]}, "promocodes"),
        ({"promocodes": [["A"]]}, "promocodes"),
        ({"promocodes": ["A" * 101]}, "promocodes"),
        ({"expirationDate": ""}, "expirationDate"),
        ({"expirationDate": "soon"}, "expirationDate"),
        ({"discount": None}, "discount"),
        ({"discount": -1}, "discount"),
        ({"discount": 1.5}, "discount"),
        ({"discount": 2**31}, "discount"),
        ({"type": "t" * 101}, "type"),
        ({"inUse": "maybe"}, "inUse"),
    ],
)
async def test_a_bad_member_is_named_and_nothing_is_stored(
    api: Api, change: dict[str, Any], field: str
) -> None:
    answer = await api.post(PATH, BODY | change)
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert await codes(api) == []


@pytest.mark.parametrize("query", ["inUse=x", "discount=ten", "activeDueDays=-1", "startindex=0"])
async def test_a_bad_filter_is_refused(api: Api, query: str) -> None:
    answer = await api.get(f"{PATH}?{query}")
    assert (answer.status_code, answer.json()["field"]) == (400, query.partition("=")[0])


async def test_organisations_have_their_own_pools(api: Api) -> None:
    await upload(api)
    _, key = await make_organisation(api.db, "Other")
    assert (await api.get(PATH, key=key)).json() == []
    await api.post(PATH, BODY | {"discount": 50}, key=key)
    assert {row["discount"] for row in (await api.get(PATH)).json()} == {10}
