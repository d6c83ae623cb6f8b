from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from perigee.reports.campaign.breakdowns import breakdown
from perigee.reports.campaign.types import Slice
from perigee.testing.api import Api
from perigee.testing.sending import Shop


class Told:
    """A sent campaign to people of two domains, and what they did."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.shop = Shop(api.db, api.org_id)
        self.campaign_id = 0
        self.people: list[int] = []

    async def send(self) -> None:
        a = await self.shop.people(3, "a.example.com")
        b = await self.shop.people(2, "b.example.com")
        gone = await self.shop.person("gone@b.example.com")
        await self.shop.mark("gone@b.example.com", "blacklisted_at")
        self.people = [*a, *b, gone]
        campaign = await self.shop.started(self.people)
        self.campaign_id = campaign.campaign_id
        await self.shop.run_sender()

    async def act(
        self, contact_id: int, status: str, *, after: timedelta = timedelta(minutes=1), **more: Any
    ) -> None:
        meta = more.pop("meta", None)
        await self.shop.sql(
            "insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status, link_no, detail, meta)"
            " select d.org_id, s.started_at + %(after)s, d.send_id, d.ordinal, d.contact_id, 'email', %(status)s,"
            " %(no)s, %(url)s, %(meta)s from delivery d join send s using (org_id, send_id)"
            " where d.org_id = %(org)s and d.contact_id = %(c)s and s.campaign_id = %(campaign)s",
            after=after,
            status=status,
            no=more.get("link_no"),
            url=more.get("url"),
            meta=None if meta is None else msgspec.json.encode(meta).decode(),
            c=contact_id,
            campaign=self.campaign_id,
        )

    async def by(self, what: Any) -> dict[str, Slice]:
        async with self.api.db.connection() as connection:
            found = await breakdown(connection, self.api.org_id, self.campaign_id, what)
        return {one.value: one for one in found}


@pytest.fixture
async def told(api: Api) -> Told:
    made = Told(api)
    await made.send()
    return made


async def test_the_domains_add_up_to_the_chosen_audience(told: Told) -> None:
    await told.act(told.people[0], "READ")
    await told.act(told.people[1], "CLICKED", link_no=1, url="https://shop.example.com/a")
    await told.act(told.people[3], "SPAM")
    found = await told.by("domain")
    assert found.keys() == {"a.example.com", "b.example.com"}
    a, b = found["a.example.com"], found["b.example.com"]
    assert (a.chosen, a.sent, a.dropped, a.opened, a.clicked) == (3, 3, 0, 2, 1)
    assert (b.chosen, b.sent, b.dropped, b.opened, b.complained) == (3, 2, 1, 0, 1)
    report = await told.shop.report(told.campaign_id)
    assert sum(one.chosen or 0 for one in found.values()) == report.chosen


async def test_hits_of_machines_are_left_out(told: Told) -> None:
    for what in ("READ", "CLICKED"):
        await told.act(
            told.people[0], what, meta={"machine": "scanner", "device": "desktop"}, link_no=1, url="u"
        )
    assert (await told.by("domain"))["a.example.com"].opened == 0
    assert await told.by("device") == {}
    assert await told.by("link") == {}


async def test_links_count_people_and_clicks(told: Told) -> None:
    for _ in range(2):
        await told.act(told.people[0], "CLICKED", link_no=1, url="https://shop.example.com/a")
    await told.act(told.people[1], "CLICKED", link_no=1, url="https://shop.example.com/a")
    await told.act(told.people[1], "CLICKED", link_no=2, url="https://shop.example.com/a")
    numbers = await told.by("link")
    assert {no: (one.clicked, one.clicks, one.about) for no, one in numbers.items()} == {
        "1": (2, 3, "https://shop.example.com/a"),
        "2": (1, 1, "https://shop.example.com/a"),
    }
    urls = await told.by("url")
    assert {url: (one.clicked, one.clicks) for url, one in urls.items()} == {
        "https://shop.example.com/a": (2, 4)
    }


async def test_devices_and_hours_group_hits(told: Told) -> None:
    await told.act(told.people[0], "READ", meta={"device": "mobile", "os": "iOS"})
    await told.act(told.people[1], "READ", meta={"device": "mobile"}, after=timedelta(hours=2, minutes=5))
    await told.act(told.people[2], "CLICKED", after=timedelta(hours=26), link_no=1, url="u")
    assert {one: found.opened for one, found in (await told.by("device")).items()} == {"mobile": 2, "": 1}
    assert {one: found.opened for one, found in (await told.by("os")).items()} == {"iOS": 1, "": 2}
    assert list(await told.by("hour")) == ["0", "2", "26"]
    assert {one: found.opened for one, found in (await told.by("day")).items()} == {"0": 2, "1": 1}


async def test_languages_and_sends_are_of_the_ledger(told: Told) -> None:
    found = await told.by("language")
    assert sum(one.chosen or 0 for one in found.values()) == 6
    assert [one.chosen for one in (await told.by("send")).values()] == [6]


async def test_the_wire_names_what_it_can_group_by(told: Told) -> None:
    path = f"/api/v4/campaigns/{told.campaign_id}/breakdown"
    answer = await told.api.get(f"{path}?by=domain")
    assert answer.json()["items"][0].keys() >= {"value", "chosen", "sent", "opened"}
    assert (await told.api.get(path)).json() == answer.json()
    refused = await told.api.get(f"{path}?by=colour")
    assert refused.status_code in (400, 422)
    assert refused.json()["field"] == "by"
    assert (await told.api.get("/api/v4/campaigns/999999/breakdown?by=domain")).status_code == 404
