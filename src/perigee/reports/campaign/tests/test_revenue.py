from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from perigee.reports.campaign.tests.test_breakdowns import Told
from perigee.testing.api import Api

RULES = {"channels": {"email": {"event": "clicked", "days": 7}}, "currency": "EUR"}


class Sold(Told):
    async def rules(self, **change: Any) -> None:
        answer = await self.api.put("/api/v4/revenue-rules", {**RULES, **change})
        assert answer.status_code == 200, answer.text

    async def order(
        self,
        contact_id: int,
        total: float,
        *,
        after: timedelta = timedelta(days=1),
        status: str = "DELIVERED",
        currency: str = "EUR",
    ) -> None:
        await self.shop.sql(
            "insert into orders (org_id, external_order_id, contact_id, status, total, currency, ordered_at)"
            " select %(org)s, 'o-' || (select count(*) from orders where org_id = %(org)s), %(c)s, %(s)s, %(t)s, %(cur)s,"
            " started_at + %(after)s from send where org_id = %(org)s and campaign_id = %(campaign)s limit 1",
            c=contact_id,
            s=status,
            t=total,
            cur=currency,
            after=after,
            campaign=self.campaign_id,
        )

    async def figures(self) -> tuple[int, int, float]:
        found = (await self.api.get(f"/api/v4/campaigns/{self.campaign_id}/revenue")).json()
        assert found["currency"] == "EUR"
        return found["purchases"], found["buyers"], found["revenue"]

    async def click(self, contact_id: int, **more: Any) -> None:
        await self.act(contact_id, "CLICKED", link_no=1, url="u", **more)


@pytest.fixture
async def sold(api: Api) -> Sold:
    made = Sold(api)
    await made.send()
    await made.rules()
    return made


async def test_delivered_orders_after_a_click_count(sold: Sold) -> None:
    one, two, three, *_ = sold.people
    await sold.click(one)
    await sold.click(two)
    await sold.act(three, "READ")
    await sold.order(one, 10)
    await sold.order(one, 5.5)
    await sold.order(two, 20)
    await sold.order(two, 99, status="INITIALIZED")
    await sold.order(two, 99, currency="USD")
    await sold.order(two, 99, after=timedelta(days=8))
    await sold.order(two, 99, after=timedelta(seconds=1))  # before the click
    await sold.order(three, 99)  # only opened
    assert await sold.figures() == (3, 2, 35.5)
    found = (await sold.api.get(f"/api/v4/campaigns/{sold.campaign_id}/revenue")).json()
    assert found["average"] == pytest.approx(35.5 / 3, abs=1e-4)
    assert (found["per_click"], found["per_open"]) == (
        pytest.approx(17.75),
        pytest.approx(35.5 / 3, abs=1e-4),
    )
    page = (await sold.api.get(f"/api/v4/campaigns/{sold.campaign_id}/purchases?limit=2")).json()
    assert len(page["items"]) == 2


async def test_the_rule_chooses_event_and_window(sold: Sold) -> None:
    await sold.act(sold.people[0], "READ")
    await sold.order(sold.people[0], 10, after=timedelta(days=8))
    assert await sold.figures() == (0, 0, 0.0)
    await sold.rules(channels={"email": {"event": "opened", "days": 30}})
    assert await sold.figures() == (1, 1, 10.0)
    await sold.rules(channels={"sms": {"event": "sent", "days": 30}})
    assert await sold.figures() == (0, 0, 0.0)
    await sold.rules(channels={"email": {"event": "sent", "days": 30}})
    assert await sold.figures() == (1, 1, 10.0)


async def test_the_last_touch_of_all_campaigns_gets_the_sale(sold: Sold) -> None:
    first, who = sold.campaign_id, sold.people[0]
    await sold.click(who, after=timedelta(hours=1))
    later = await sold.shop.started([who])
    await sold.shop.run_sender()
    sold.campaign_id = later.campaign_id
    await sold.click(who, after=timedelta(hours=2))
    await sold.order(who, 10)
    assert await sold.figures() == (1, 1, 10.0)
    sold.campaign_id = first
    assert await sold.figures() == (0, 0, 0.0)


async def test_messages_with_an_excluded_tag_are_no_touches(sold: Sold) -> None:
    await sold.click(sold.people[0])
    await sold.order(sold.people[0], 10)
    await sold.shop.sql("update send set tags = '{service}' where org_id = %(org)s")
    assert await sold.figures() == (1, 1, 10.0)
    await sold.rules(exclude_tags=["service"])
    assert await sold.figures() == (0, 0, 0.0)


async def test_a_machines_click_is_no_touch(sold: Sold) -> None:
    await sold.click(sold.people[0], meta={"machine": "scanner"})
    await sold.order(sold.people[0], 10)
    assert await sold.figures() == (0, 0, 0.0)


async def test_the_organisations_currency_is_the_usual_one(sold: Sold) -> None:
    await sold.rules(currency="")
    shown = (await sold.api.get("/api/v4/revenue-rules")).json()
    assert shown["currency"] == (await sold.api.get("/api/v4/organisation")).json()["currency"]


@pytest.mark.parametrize(
    "change",
    [
        {"channels": {"pigeon": {}}},
        {"channels": {"email": {"event": "sold"}}},
        {"channels": {"email": {"days": 0}}},
        {"currency": "euro"},
    ],
)
async def test_rules_that_cannot_be_are_refused(sold: Sold, change: dict[str, Any]) -> None:
    answer = await sold.api.put("/api/v4/revenue-rules", {**RULES, **change})
    assert answer.status_code in (400, 422)
    assert (await sold.api.get("/api/v4/revenue-rules")).json()["channels"].keys() == {"email"}
