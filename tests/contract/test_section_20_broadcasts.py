"""Contract section 20 on the wire: broadcasts, senders, workflows."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import Any

import pytest

from perigee.http import app
from perigee.http.context import AppContext
from perigee.testing.api import Api
from perigee.testing.sending import Shop
from perigee.testing.wire import ok, refused, sentence

PATH = "/api/v1/broadcast"
NOW = datetime(2025, 5, 1, tzinfo=UTC)
DOCUMENTED = {
    "title": "May sale",
    "startDate": "2025-05-05T14:00",
    "batchSize": 50,
    "batchIntervalUnit": "MINUTE",
}


@pytest.fixture
def in_spring(monkeypatch: pytest.MonkeyPatch) -> None:
    """The examples' dates are still to come."""
    clock = functools.partial(AppContext, now=lambda: NOW)
    monkeypatch.setattr(app, "AppContext", clock)


class Broadcasts:
    def __init__(self, api: Api, shop: Shop, message: int, segment: int, excluded: int) -> None:
        self.api, self.shop, self.message, self.segment, self.excluded = api, shop, message, segment, excluded

    async def make(self, **change: Any) -> dict[str, Any]:
        body = {"messageId": self.message, "groups": [self.segment], **change}
        return dict(ok(await self.api.post(PATH, body)).json())

    async def got_it(self) -> list[str]:
        await self.shop.launch_due(NOW)
        await self.shop.run_sender()
        rows = await self.shop.sql(
            "select address from delivery where org_id = %(org)s and outcome = 'sent' order by 1"
        )
        return [address for (address,) in rows]


@pytest.fixture
async def broadcasts(in_spring: None, api: Api) -> Broadcasts:
    shop = Shop(api.db, api.org_id)
    people = await shop.people(2)
    return Broadcasts(
        api,
        shop,
        await shop.message(),
        await shop.segment("All", people),
        await shop.segment("Not these", people[:1]),
    )


async def test_the_example_is_answered_as_documented_and_read_again(broadcasts: Broadcasts) -> None:
    made = await broadcasts.make(**DOCUMENTED, excludedGroups=[broadcasts.excluded])
    view = {
        "broadcastId": made["broadcastId"],
        "title": "May sale",
        "messageId": str(broadcasts.message),
        "groupId": str(broadcasts.segment),
        "startDate": "2025-05-05T14:00:00",
        "batchSize": 50,
        "batchIntervalUnit": "MINUTE",
    }
    assert made == view
    assert made["broadcastId"].isdecimal()
    assert ok(await broadcasts.api.get(f"{PATH}/{made['broadcastId']}")).json() == view
    listed = ok(await broadcasts.api.get("/api/v1/broadcasts?startindex=1&maxrows=10"))
    assert (listed.json(), listed.headers["TotalCount"]) == ([view], "1")


@pytest.mark.parametrize("kind", [str, int])
async def test_the_message_is_named_by_text_or_number(broadcasts: Broadcasts, kind: type) -> None:
    made = await broadcasts.make(messageId=kind(broadcasts.message))
    assert made["messageId"] == str(broadcasts.message)


@pytest.mark.parametrize("member", ["messageId", "groups"])
async def test_message_and_groups_are_required(broadcasts: Broadcasts, member: str) -> None:
    body: dict[str, Any] = {"messageId": broadcasts.message, "groups": [broadcasts.segment]}
    del body[member]
    assert refused(await broadcasts.api.post(PATH, body)).startswith(f"{member}:")


async def test_only_message_and_groups_are_required_and_it_starts_now(broadcasts: Broadcasts) -> None:
    made = await broadcasts.make()
    assert {"batchSize", "batchIntervalUnit"}.isdisjoint(made)
    assert await broadcasts.got_it() == ["person-1@example.com", "person-2@example.com"]


async def test_people_of_several_segments_get_one_and_the_segments_are_one_text(
    broadcasts: Broadcasts,
) -> None:
    made = await broadcasts.make(groups=[broadcasts.segment, broadcasts.excluded])
    assert made["groupId"] == f"{broadcasts.segment},{broadcasts.excluded}"
    assert await broadcasts.got_it() == ["person-1@example.com", "person-2@example.com"]


async def test_people_of_excluded_segments_get_none(broadcasts: Broadcasts) -> None:
    await broadcasts.make(excludedGroups=[broadcasts.excluded])
    assert await broadcasts.got_it() == ["person-2@example.com"]


async def test_the_start_is_in_the_organisations_time_zone(broadcasts: Broadcasts) -> None:
    api = broadcasts.api
    await api.rows("update organisation set time_zone = 'Europe/Kyiv' where org_id = %(org_id)s")
    made = await broadcasts.make(startDate="2025-05-05T14:00")
    assert made["startDate"] == "2025-05-05T14:00:00"
    assert await api.rows("select scheduled_at from campaign where org_id = %(org_id)s") == [
        (datetime(2025, 5, 5, 11, tzinfo=UTC),)
    ]


@pytest.mark.parametrize("unit", ["MINUTE", "HOUR", "DAY", "MONTH"])
async def test_the_units_of_speed(broadcasts: Broadcasts, unit: str) -> None:
    made = await broadcasts.make(batchSize=1, batchIntervalUnit=unit)
    assert (made["batchSize"], made["batchIntervalUnit"]) == (1, unit)


@pytest.mark.parametrize(
    ("batch", "field"),
    [
        ({"batchSize": 0, "batchIntervalUnit": "DAY"}, "batchSize"),
        ({"batchSize": 5, "batchIntervalUnit": "YEAR"}, "batchIntervalUnit"),
        ({"batchSize": 5}, "batchIntervalUnit"),
        ({"batchIntervalUnit": "DAY"}, "batchSize"),
    ],
)
async def test_a_speed_is_both_members_or_none(broadcasts: Broadcasts, batch: Any, field: str) -> None:
    body = {"messageId": broadcasts.message, "groups": [broadcasts.segment], **batch}
    assert refused(await broadcasts.api.post(PATH, body)).startswith(f"{field}:")


@pytest.mark.parametrize(
    ("channel", "field"), [("webpush", "domain"), ("mobilepush", "appId"), ("telegram", "appId")]
)
async def test_channels_with_tokens_need_their_domain_or_application(
    broadcasts: Broadcasts, channel: str, field: str
) -> None:
    message = await broadcasts.shop.message(channel, versions={"en": {"title": "Hi", "text": "There"}})
    body = {"messageId": message, "groups": [broadcasts.segment]}
    assert refused(await broadcasts.api.post(PATH, body)).startswith(f"{field}:")


async def test_a_web_push_broadcast_names_its_domain(broadcasts: Broadcasts) -> None:
    site = {
        "domain": "https://shop.example.com",
        "serviceWorkerName": "sw.js",
        "serviceWorkerPath": "/",
        "serviceWorkerScope": "/",
    }
    ok(await broadcasts.api.post("/api/v1/site/webpush/domain", site))
    message = await broadcasts.shop.message("webpush", versions={"en": {"title": "Hi", "text": "There"}})
    for domain in ("https://shop.example.com", "shop.example.com"):
        assert (await broadcasts.make(messageId=message, domain=domain))["messageId"] == str(message)


async def test_a_scheduled_broadcast_is_cancelled_and_a_started_one_is_not(broadcasts: Broadcasts) -> None:
    scheduled = await broadcasts.make(startDate="2099-05-05T14:00")
    path = f"{PATH}/{scheduled['broadcastId']}"
    assert sentence(await broadcasts.api.delete(path))
    refused(await broadcasts.api.get(path), 404)
    started = await broadcasts.make()
    await broadcasts.shop.launch_due(NOW)
    assert "already started" in refused(await broadcasts.api.delete(f"{PATH}/{started['broadcastId']}"))


async def test_unknown_broadcasts_messages_and_segments_are_404(broadcasts: Broadcasts) -> None:
    for answer in (
        await broadcasts.api.get(f"{PATH}/999"),
        await broadcasts.api.delete(f"{PATH}/999"),
        await broadcasts.api.post(PATH, {"messageId": 999, "groups": [broadcasts.segment]}),
        await broadcasts.api.post(PATH, {"messageId": broadcasts.message, "groups": [999]}),
    ):
        refused(answer, 404)


@pytest.mark.parametrize(
    ("query", "rows"),
    [("", 10), ("?maxrows=9", 9), ("?maxrows=499", 499), ("?maxrows=500", 500), ("?maxrows=501", 500),
     ("?startindex=502&maxrows=500", 1)],
)  # fmt: skip
async def test_a_page_of_broadcasts_has_ten_rows_and_at_most_500(
    broadcasts: Broadcasts, query: str, rows: int
) -> None:
    await broadcasts.make(startDate="2099-05-05T14:00")
    columns = "message_id, channel, title, include, exclude, state, scheduled_at"
    await broadcasts.api.rows(
        f"insert into campaign (org_id, {columns}) select org_id, {columns} from campaign"
        " cross join generate_series(1, 501) where org_id = %(org_id)s"
    )
    answer = ok(await broadcasts.api.get(f"/api/v1/broadcasts{query}"))
    assert (len(answer.json()), answer.headers["TotalCount"]) == (rows, "502")


async def test_one_broadcast_is_still_an_array(broadcasts: Broadcasts) -> None:
    made = await broadcasts.make(startDate="2099-05-05T14:00")
    assert ok(await broadcasts.api.get("/api/v1/broadcasts")).json() == [made]


async def test_senders_are_arrays_of_type_and_value(api: Api) -> None:
    news = '"Example Shop" <news@example.com>'
    for channel, value in (("email", news), ("sms", "EXAMPLE")):
        assert ok(await api.get(f"/api/v1/interfaces/{channel}")).json() == []
        await api.post("/api/v4/senders", {"channel": channel, "value": value})
        found = ok(await api.get(f"/api/v1/interfaces/{channel}")).json()
        assert found == [{"type": channel, "value": value}]


async def workflow(api: Api, name: str, *tags: str, status: str = "active") -> int:
    made = await api.post("/api/v4/workflows", {"name": name, "status": status, "tags": list(tags)})
    return int(made.json()["workflow_id"])


async def test_workflows_have_the_documented_members_and_one_tag_is_no_array(api: Api) -> None:
    first = await workflow(api, "Welcome series", "promo", "welcome")
    second = await workflow(api, "Win back", "promo", status="inactive")
    assert ok(await api.get("/api/v1/workflows")).json() == [
        {"id": first, "name": "Welcome series", "status": "active", "tags": ["promo", "welcome"]},
        {"id": second, "name": "Win back", "status": "inactive", "tags": "promo"},
    ]
    found = ok(await api.get("/api/v1/workflows?name=Win&startindex=1&maxrows=1")).json()
    assert [row["id"] for row in found] == [second]
    assert ok(await api.get("/api/v1/workflows?startindex=2&maxrows=1")).json()[0]["id"] == second


@pytest.mark.parametrize(("query", "rows"), [("", 500), ("?maxrows=499", 499), ("?maxrows=501", 500)])
async def test_a_page_of_workflows_has_at_most_500_rows(api: Api, query: str, rows: int) -> None:
    await workflow(api, "W")
    await api.rows(
        "insert into workflow (org_id, name, status, tags) select org_id, name || n, status, tags from workflow"
        " cross join generate_series(1, 500) n where org_id = %(org_id)s"
    )
    assert len(ok(await api.get(f"/api/v1/workflows{query}")).json()) == rows


async def test_no_method_starts_a_workflow(api: Api) -> None:
    started = await workflow(api, "Welcome")
    for path, status in (("/api/v1/workflows", 405), (f"/api/v1/workflows/{started}/start", 404)):
        assert (await api.post(path, {})).status_code == status
