"""What a site reports, and whether its pages hold the script."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from perigee.db.group_commit import run_set
from perigee.events.types import Identity
from perigee.lib.outside import Outside, Rules
from perigee.lib.public_addresses import parse_networks
from perigee.site.status import check, statuses
from perigee.site.track import track
from perigee.site.types import Tracked
from perigee.testing.api import Api
from perigee.testing.outside import Names, web_server

SITE = "8A412DC0E5F34B7FA5900704ECCFF2B5"
HERE = Rules(parse_networks("127.0.0.0/8"), None)
NOW = datetime(2026, 3, 29, 21, 30, tzinfo=UTC)
"""In Kyiv half an hour after the midnight that ends a day of 23 hours."""


async def test_events_are_counted_by_the_days_of_the_organisation(api: Api) -> None:
    await api.post("/api/v1/site/domains", {"domain": "shop.example.com"})
    await api.rows("update organisation set time_zone = 'Europe/Kyiv' where org_id = %(org_id)s")
    seen = [("pageViewed", 0), ("pageViewed", 29), ("mainPageViewed", 31), ("pageViewed", 23.4 * 60)]
    seen += [("pageViewed", 23.6 * 60)]  # the day before yesterday
    await run_set(
        api.db,
        track,
        api.org_id,
        [Tracked("v", Identity(), NOW - timedelta(minutes=ago), key) for key, ago in seen],
    )
    await api.post("/api/v3/event", {"eventTypeKey": "pageViewed", "keyValue": "1"})  # not the site's
    async with api.db.connection() as connection:
        (found,) = await statuses(connection, api.org_id, "https://perigee.test", NOW)
    assert found.domain == "shop.example.com"
    assert found.script == f"https://perigee.test/scripts/{found.site_id}.js"
    assert (found.today, found.yesterday) == ({"pageViewed": 2}, {"mainPageViewed": 1, "pageViewed": 1})
    assert found.last_event_at == NOW


async def test_without_a_site_the_list_is_empty_and_nothing_can_be_checked(api: Api) -> None:
    assert (await api.get("/api/v4/sites")).json() == {"items": []}
    assert (await api.post(f"/api/v4/sites/{SITE}/check")).status_code == 404


async def test_a_site_that_reported_nothing_has_no_last_event(api: Api) -> None:
    made = (await api.post("/api/v1/site/domains", {"domain": "shop.example.com"})).json()
    (found,) = (await api.get("/api/v4/sites")).json()["items"]
    script = f"http://perigee.test/scripts/{made['siteId']}.js"
    assert found == {"site_id": made["siteId"], "domain": "shop.example.com", "script": script}


@pytest.mark.parametrize(
    ("page", "status"),
    [
        (f"<script src='https://p.example/scripts/{SITE.lower()}.js'></script>", "connected"),
        ("<h1>Mugs</h1>", "script_not_installed"),
        (None, "unreachable"),
    ],
)
async def test_the_page_tells_whether_the_script_is_there(page: str | None, status: str) -> None:
    async def handler(_: web.Request) -> web.StreamResponse:
        return web.Response(text=page, content_type="text/html") if page else web.Response(status=500)

    async with (
        web_server(handler) as port,
        Outside(HERE, resolver=Names(shop_example=[["127.0.0.1"]])) as outside,
    ):
        found = await check(outside, f"http://shop.example:{port}/", SITE)
    assert found.status == status
    assert (found.error is None) == (status != "unreachable")


async def test_the_check_asks_the_domain_over_https(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perigee.lib.outside.ThreadedResolver", Names)
    made = (await api.post("/api/v1/site/domains", {"domain": "shop.example.com"})).json()
    answer = await api.post(f"/api/v4/sites/{made['siteId']}/check")
    assert answer.status_code == 200
    assert (answer.json()["status"], answer.json()["url"]) == ("unreachable", "https://shop.example.com/")
