"""Broadcasts on the old wire (contract 20.1–20.4), and the two methods of its early days (19.6)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.campaigns import broadcasts
from perigee.errors import Invalid
from perigee.testing.api import Api, make_organisation
from perigee.testing.sending import Shop

PATH = "/api/v1/broadcast"
LATER = "2099-05-05T14:00"


class Broadcasts:
    """A shop with two people on a list, and a message."""

    def __init__(self, api: Api, shop: Shop, message: int, segment: int) -> None:
        self.api, self.shop, self.message, self.segment = api, shop, message, segment

    async def post(self, **change: Any) -> Any:
        body = {"messageId": self.message, "groups": [self.segment]} | change
        return await self.api.post(PATH, {key: value for key, value in body.items() if value != "absent"})

    async def make(self, **change: Any) -> dict[str, Any]:
        answer = await self.post(**change)
        assert answer.status_code == 200, answer.text
        view: dict[str, Any] = answer.json()
        return view

    async def states(self) -> list[str]:
        rows = await self.api.rows(
            "select state from campaign where org_id = %(org_id)s order by campaign_id"
        )
        return [state for (state,) in rows]


@pytest.fixture
async def shop(api: Api) -> Broadcasts:
    shop = Shop(api.db, api.org_id)
    return Broadcasts(api, shop, await shop.message(), await shop.segment("All", await shop.people(2)))


async def test_the_view_has_exactly_the_documented_members(api: Api, shop: Broadcasts) -> None:
    excluded = await shop.shop.segment("Not", [])
    made = await shop.make(
        title="May sale",
        messageId=str(shop.message),
        excludedGroups=[excluded],
        startDate=LATER,
        batchSize=50,
        batchIntervalUnit="MINUTE",
    )
    assert made == {
        "broadcastId": made["broadcastId"],
        "title": "May sale",
        "messageId": str(shop.message),
        "groupId": str(shop.segment),
        "startDate": "2099-05-05T14:00:00",
        "batchSize": 50,
        "batchIntervalUnit": "MINUTE",
    }
    assert isinstance(made["broadcastId"], str)
    assert (await api.get(f"{PATH}/{made['broadcastId']}")).json() == made
    stored = await api.rows("select exclude, pace_count, pace_unit from campaign where org_id = %(org_id)s")
    assert stored == [([excluded], 50, "MINUTE")]


async def test_without_a_date_it_starts_now_and_reaches_everybody_once(shop: Broadcasts) -> None:
    people = await shop.shop.sql("select contact_id from contact where org_id = %(org)s order by 1")
    second = await shop.shop.segment("Again", [people[0][0]])
    made = await shop.make(groups=[shop.segment, second])
    assert made["groupId"] == f"{shop.segment},{second}"
    assert "batchSize" not in made
    assert "batchIntervalUnit" not in made
    await shop.shop.launch_due()
    await shop.shop.run_sender()
    assert await shop.states() == ["finished"]
    assert (
        await shop.shop.value("select count(*) from delivery where org_id = %(org)s and outcome = 'sent'")
        == 2
    )


async def test_excluded_segments_get_nothing(shop: Broadcasts) -> None:
    people = await shop.shop.sql("select contact_id from contact where org_id = %(org)s order by 1")
    excluded = await shop.shop.segment("Not", [people[0][0]])
    await shop.make(excludedGroups=excluded)
    await shop.shop.launch_due()
    await shop.shop.run_sender()
    outcomes = await shop.shop.sql(
        "select contact_id, outcome from delivery where org_id = %(org)s order by 1"
    )
    assert outcomes == [(people[0][0], "dropped"), (people[1][0], "sent")]


async def test_the_date_is_that_of_the_organisations_zone(api: Api, shop: Broadcasts) -> None:
    await api.rows("update organisation set time_zone = 'Europe/Kyiv' where org_id = %(org_id)s")
    made = await shop.make(startDate="2099-01-05T14:00")
    assert made["startDate"] == "2099-01-05T14:00:00"
    rows = await api.rows("select scheduled_at, state from campaign where org_id = %(org_id)s")
    assert rows == [(datetime(2099, 1, 5, 12, tzinfo=UTC), "scheduled")]
    made = await shop.make(startDate="2099-01-05T14:00:00+00:00")
    assert made["startDate"] == "2099-01-05T16:00:00"


async def test_the_running_minute_is_now(api: Api, shop: Broadcasts) -> None:
    await shop.make(startDate=datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ"))
    assert await shop.states() == ["scheduled"]
    await shop.shop.launch_due()
    assert await shop.states() == ["running"]


@given(st.timedeltas(min_value=timedelta(hours=-2), max_value=timedelta(hours=2)))
def test_a_start_is_now_later_or_refused(ahead: timedelta) -> None:
    now = datetime(2025, 5, 5, 14, 0, 30, tzinfo=UTC)
    try:
        found = broadcasts.start(now + ahead, now)
    except Invalid:
        assert ahead <= timedelta(minutes=-1)
    else:
        assert found == (now + ahead if ahead > timedelta() else None)


@pytest.mark.parametrize(
    "groups", ["{0}", "{0},{1}", "{0}, {1}", ["{0}", "{1}"], ["{0}", "{0}"]], ids=lambda value: str(value)
)
async def test_groups_may_be_one_many_or_text(shop: Broadcasts, groups: Any) -> None:
    ids = [str(shop.segment), str(await shop.shop.segment("Second", []))]
    wanted = groups.format(*ids) if isinstance(groups, str) else [one.format(*ids) for one in groups]
    named = list(dict.fromkeys("".join(wanted if isinstance(wanted, str) else ",".join(wanted)).split(",")))
    made = await shop.make(groups=wanted, startDate=LATER)
    assert made["groupId"] == ",".join(one.strip() for one in named)


async def test_a_number_for_a_list_and_text_for_a_number(shop: Broadcasts) -> None:
    made = await shop.make(groups=shop.segment, batchSize="7", batchIntervalUnit="hour", startDate=LATER)
    assert (made["groupId"], made["batchSize"], made["batchIntervalUnit"]) == (str(shop.segment), 7, "HOUR")


async def test_without_a_title_it_has_the_messages_name(shop: Broadcasts) -> None:
    name = await shop.shop.value("select name from message where org_id = %(org)s")
    assert (await shop.make(startDate=LATER, title=None))["title"] == name


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"messageId": "absent"}, "messageId"),
        ({"messageId": "abc"}, "messageId"),
        ({"groups": []}, "groups"),
        ({"groups": None}, "groups"),
        ({"groups": ["x"]}, "groups"),
        ({"groups": list(range(1, 502))}, "groups"),
        ({"excludedGroups": "x"}, "excludedGroups"),
        ({"title": "t" * 251}, "title"),
        ({"startDate": "tomorrow"}, "startDate"),
        ({"startDate": "2020-01-01T10:00"}, "startDate"),
        ({"batchSize": 5}, "batchIntervalUnit"),
        ({"batchIntervalUnit": "DAY"}, "batchSize"),
        ({"batchSize": 0, "batchIntervalUnit": "DAY"}, "batchSize"),
        ({"batchSize": 5, "batchIntervalUnit": "WEEK"}, "batchIntervalUnit"),
    ],
)
async def test_a_bad_member_is_named_and_nothing_is_made(
    shop: Broadcasts, change: dict[str, Any], field: str
) -> None:
    answer = await shop.post(**change)
    assert (answer.status_code, answer.json()["field"]) == (400, field), answer.text
    assert await shop.states() == []


@pytest.mark.parametrize("change", [{"messageId": 999}, {"groups": [999]}, {"excludedGroups": [999]}])
async def test_what_is_not_there_is_not_found(shop: Broadcasts, change: dict[str, Any]) -> None:
    answer = await shop.post(**change)
    assert answer.status_code == 404
    assert "is not found" in answer.json()["message"]
    assert await shop.states() == []


async def test_a_scheduled_broadcast_is_cancelled(api: Api, shop: Broadcasts) -> None:
    made = await shop.make(startDate=LATER)
    path = f"{PATH}/{made['broadcastId']}"
    assert [(await api.delete(path)).status_code for _ in range(2)] == [200, 200]
    assert await shop.states() == ["cancelled"]
    assert (await api.get(path)).status_code == 404
    assert (await api.get("/api/v1/broadcasts")).json() == []


async def test_a_started_broadcast_is_not_cancelled(api: Api, shop: Broadcasts) -> None:
    path = f"{PATH}/{(await shop.make())['broadcastId']}"
    await shop.shop.launch_due()
    answer = await api.delete(path)
    assert (answer.status_code, await shop.states()) == (400, ["running"])
    await shop.shop.run_sender()
    assert ((await api.delete(path)).status_code, await shop.states()) == (400, ["finished"])


async def test_a_broadcast_whose_launch_has_begun_is_not_cancelled_and_nobody_waits(
    api: Api, shop: Broadcasts
) -> None:
    made = await shop.make()
    async with api.db.transaction() as launching:
        await launching.execute(
            "select 1 from campaign where org_id = %(org)s for update", {"org": api.org_id}
        )
        assert (await api.delete(f"{PATH}/{made['broadcastId']}")).status_code == 400
    assert await shop.states() == ["scheduled"]


async def test_the_list_is_newest_first_ten_rows_and_counted(api: Api, shop: Broadcasts) -> None:
    made = [(await shop.make(startDate=LATER, title=f"B{number}"))["title"] for number in range(12)]
    answer = await api.get("/api/v1/broadcasts")
    assert [row["title"] for row in answer.json()] == made[::-1][:10]
    assert answer.headers["TotalCount"] == "12"
    rest = await api.get("/api/v1/broadcasts?startindex=11&maxrows=9999")
    assert [row["title"] for row in rest.json()] == made[::-1][10:]


async def test_a_draft_is_listed_without_a_date(api: Api, shop: Broadcasts) -> None:
    await api.post("/api/v4/campaigns", {"message_id": shop.message, "include": [shop.segment]})
    (row,) = (await api.get("/api/v1/broadcasts")).json()
    assert "startDate" not in row


async def test_another_organisations_broadcast_is_unknown(api: Api, shop: Broadcasts) -> None:
    made = await shop.make(startDate=LATER)
    _, key = await make_organisation(api.db, "Other")
    path = f"{PATH}/{made['broadcastId']}"
    assert (await api.get(path, key=key)).status_code == 404
    assert (await api.delete(path, key=key)).status_code == 404
    assert (await api.get("/api/v1/broadcasts", key=key)).json() == []
    body = {"messageId": shop.message, "groups": [shop.segment]}
    assert (await api.post(PATH, body, key=key)).status_code == 404
    assert await shop.states() == ["scheduled"]


@pytest.mark.parametrize("broadcast_id", ["999", "99999999999999999999", "0"])
async def test_an_unknown_broadcast(api: Api, broadcast_id: str) -> None:
    assert (await api.get(f"{PATH}/{broadcast_id}")).status_code == 404
    assert (await api.delete(f"{PATH}/{broadcast_id}")).status_code == 404


async def test_an_old_library_starts_a_draft(api: Api, shop: Broadcasts) -> None:
    made = await api.post("/api/v4/campaigns", {"message_id": shop.message, "include": [shop.segment]})
    path = f"/api/v1/campaigns/{made.json()['campaign_id']}/start"
    assert (await api.post(path)).status_code == 200
    await shop.shop.launch_due()
    assert ((await api.post(path)).status_code, await shop.states()) == (200, ["running"])
    await api.post(f"/api/v4/campaigns/{made.json()['campaign_id']}/stop")
    assert ((await api.post(path)).status_code, await shop.states()) == (400, ["stopped"])
    assert (await api.post("/api/v1/campaigns/999/start")).status_code == 404


async def test_an_old_library_stops_a_message(api: Api, shop: Broadcasts) -> None:
    running = await shop.make()
    await shop.shop.launch_due()
    await shop.make(startDate=LATER)
    await api.post("/api/v4/campaigns", {"message_id": shop.message, "include": [shop.segment]})
    other = await shop.make(messageId=await shop.shop.message(), startDate=LATER)
    answer = await api.post(f"/api/v1/messages/{shop.message}/stop")
    assert answer.status_code == 200, answer.text
    assert await shop.states() == ["stopped", "cancelled", "draft", "scheduled"]
    report = (await api.get(f"/api/v4/campaigns/{running['broadcastId']}/report")).json()
    assert (report["chosen"], report["waiting"], report["dropped"]) == (2, 0, {"stopped": 2})
    assert (await api.get(f"{PATH}/{other['broadcastId']}")).status_code == 200
    assert (await api.post(f"/api/v1/messages/{shop.message}/stop")).status_code == 200


async def test_only_the_own_messages_are_stopped(api: Api, shop: Broadcasts) -> None:
    await shop.make(startDate=LATER)
    _, key = await make_organisation(api.db, "Other")
    assert (await api.post(f"/api/v1/messages/{shop.message}/stop", key=key)).status_code == 404
    assert await shop.states() == ["scheduled"]


async def test_the_old_search_of_contacts_is_the_search(api: Api, shop: Broadcasts) -> None:
    answer = await api.get("/api/v1/contacts/old?email=person-1@example.com")
    assert answer.json() == (await api.get("/api/v1/contacts?email=person-1@example.com")).json() != []
    assert answer.headers["TotalCount"] == "1"


async def push_shop(api: Api, shop: Broadcasts, channel: str) -> dict[str, Any]:
    """A message of the channel, and its application with one of the two people's tokens, each having another one."""
    app = (await api.post("/api/v4/apps", {"kind": channel, "name": "App"})).json()
    people = await shop.shop.sql("select contact_id from contact where org_id = %(org)s order by 1")
    for place, app_id in ((0, app["app_id"]), (0, "other"), (1, "other")):
        await shop.shop.sql(
            "insert into push_token (org_id, kind, app_id, token, contact_id)"
            " values (%(org)s, %(k)s, %(a)s, %(t)s, %(c)s)",
            k=channel,
            a=app_id,
            t=f"token-{app_id}-{place}",
            c=people[place][0],
        )
    content = {"title": "Hello", "text": "Hello"}
    message = await shop.shop.message(channel, versions={"en": content})
    return {"messageId": message, "startDate": LATER, "appId": app["app_id"]}


@pytest.mark.parametrize("channel", ["mobilepush", "telegram"])
async def test_only_the_tokens_of_the_application_are_reached(
    api: Api, shop: Broadcasts, channel: str
) -> None:
    made = await shop.make(**await push_shop(api, shop, channel))
    counted = (await api.get(f"/api/v4/campaigns/{made['broadcastId']}/audience")).json()
    assert counted == {"chosen": 2, "reachable": 1, "dropped": {"no_address": 1}}


@pytest.mark.parametrize("channel", ["mobilepush", "telegram"])
async def test_the_application_must_be_named_and_be_there(api: Api, shop: Broadcasts, channel: str) -> None:
    body = await push_shop(api, shop, channel)
    missing = await shop.post(**body | {"appId": None})
    assert (missing.status_code, missing.json()["field"]) == (400, "appId")
    wrong = await shop.post(**body | {"appId": "no-uuid"})
    assert (wrong.status_code, wrong.json()["message"]) == (400, "Wrong app uuid")
    unknown = await shop.post(**body | {"appId": "11111111-2222-4333-8444-555555555555"})
    assert (unknown.status_code, unknown.json()["message"]) == (404, "Not registered application")
    assert await shop.states() == []


async def test_web_push_names_its_domain(api: Api, shop: Broadcasts) -> None:
    message = await shop.shop.message("webpush", versions={"en": {"title": "Hello", "text": "Hello"}})
    missing = await shop.post(messageId=message)
    assert (missing.status_code, missing.json()["field"]) == (400, "domain")
    unknown = await shop.post(messageId=message, domain="shop.example.com")
    assert (unknown.status_code, unknown.json()["message"]) == (
        404,
        "Domain https://shop.example.com is not found",
    )
