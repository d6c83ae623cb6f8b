"""Caps, annoyance credits, the strategy grid: who is left alone, and until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from perigee.campaigns import rules, strategy
from perigee.campaigns.plan import Plan
from perigee.campaigns.types import Campaign, Report
from perigee.delivery.rules import Budget, Cap, SendingRules, StrategyRow
from perigee.errors import Invalid
from perigee.testing.sending import Shop

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _fresh_now() -> None:
    """Modules are imported long before their tests run."""
    global NOW
    NOW = datetime.now(UTC)


async def obey(shop: Shop, wanted: SendingRules) -> None:
    async with shop.db.transaction() as connection:
        await rules.write(connection, shop.org_id, wanted)


async def launched(
    shop: Shop, segment: int, plan: Plan | None = None, tags: list[str] | None = None
) -> Campaign:
    message = await shop.message()
    await shop.sql(
        "update message set tags = %(t)s where org_id = %(org)s and message_id = %(m)s",
        t=tags or [],
        m=message,
    )
    return await shop.launch((await shop.campaign(message, [segment], plan=plan)).campaign_id)


async def sent(shop: Shop, segment: int, plan: Plan | None = None, tags: list[str] | None = None) -> Report:
    campaign = await launched(shop, segment, plan, tags)
    await shop.run_sender()
    return await shop.report(campaign.campaign_id)


async def age(shop: Shop, interval: str) -> None:
    """What was sent until now was sent so much earlier."""
    await shop.sql(f"update delivery set at = at - interval '{interval}' where org_id = %(org)s")


async def test_a_cap_counts_what_a_person_got_in_its_days(shop: Shop) -> None:
    await obey(shop, SendingRules(caps={"email": [Cap(2, 7)]}))
    segment = await shop.segment("All", await shop.people(2))
    for _ in range(2):
        assert (await sent(shop, segment)).sent == 2
    assert (await sent(shop, segment)).dropped == {"frequency": 2}
    await age(shop, "8 days")
    assert (await sent(shop, segment)).sent == 2


async def test_what_was_perhaps_sent_counts_and_what_failed_does_not(shop: Shop) -> None:
    await obey(shop, SendingRules(caps={"email": [Cap(1, 1)]}))
    segment = await shop.segment("All", await shop.people(2))
    await sent(shop, segment)
    await shop.sql("update delivery set outcome = 'uncertain' where org_id = %(org)s and ordinal = 0")
    await shop.sql("update delivery set outcome = 'failed' where org_id = %(org)s and ordinal = 1")
    report = await sent(shop, segment)
    assert (report.sent, report.dropped) == (1, {"frequency": 1})


async def test_other_channels_and_transactional_messages_do_not_count(shop: Shop) -> None:
    await obey(shop, SendingRules(caps={"email": [Cap(1, 1)]}))
    person = await shop.person("a@example.com", phone="380501112233")
    segment = await shop.segment("All", [person])
    await shop.started([person], channel="sms")
    await shop.run_sender()
    await sent(shop, segment)
    await shop.sql("update send set marketing = false where org_id = %(org)s and channel = 'email'")
    assert (await sent(shop, segment)).sent == 1
    assert (await sent(shop, segment)).dropped == {"frequency": 1}


async def test_a_cap_is_looked_at_again_right_before_sending(shop: Shop) -> None:
    await obey(shop, SendingRules(caps={"email": [Cap(1, 1)]}))
    segment = await shop.segment("All", await shop.people(1))
    one, two = await launched(shop, segment), await launched(shop, segment)
    await shop.sql(
        "update send_batch set due_at = due_at + interval '1 hour' where org_id = %(org)s and send_id = %(s)s",
        s=two.send_id,
    )
    await shop.run_sender()
    await shop.sql("update send_batch set due_at = now() where org_id = %(org)s and done_at is null")
    await shop.run_sender()
    assert (await shop.report(one.campaign_id)).sent == 1
    assert (await shop.report(two.campaign_id)).dropped == {"frequency": 1}


async def test_delayed_people_wait_until_there_is_room(shop: Shop) -> None:
    await obey(shop, SendingRules(caps={"email": [Cap(1, 2, "delay")]}))
    segment = await shop.segment("All", await shop.people(2))
    await sent(shop, segment)
    await age(shop, "1 day")
    campaign = await launched(shop, segment)
    await shop.run_sender()
    assert (await shop.report(campaign.campaign_id)).waiting == 2
    rows = await shop.sql("select reason, attempt, due_at from send_retry where org_id = %(org)s")
    assert {row[:2] for row in rows} == {("frequency", 1)}
    assert all(abs(row[2] - NOW - timedelta(days=1)) < timedelta(minutes=5) for row in rows)
    await age(shop, "1 day")
    await shop.retry_now()
    await shop.run_sender()
    assert (await shop.report(campaign.campaign_id)).sent == 2


async def test_credits_are_spent_and_the_exhausted_get_nothing_even_for_nothing(shop: Shop) -> None:
    await obey(shop, SendingRules(annoyance={"email": Budget(daily=3)}))
    segment = await shop.segment("All", await shop.people(1))
    assert (await sent(shop, segment, Plan(credits=2))).sent == 1
    assert (await sent(shop, segment, Plan(credits=2))).dropped == {"annoyance": 1}, "more than is left"
    assert (await sent(shop, segment, Plan(credits=0))).sent == 1
    assert (await sent(shop, segment)).sent == 1
    assert (await sent(shop, segment, Plan(credits=0))).dropped == {"annoyance": 1}


@pytest.mark.parametrize(
    ("budget", "edge"),
    [
        (Budget(daily=1), "date_trunc('day', now() at time zone 'UTC')"),
        (
            Budget(weekly=1),
            "date_trunc('week', now() at time zone 'UTC' + interval '1 minute') - interval '1 minute'",
        ),
    ],
)
async def test_budgets_begin_anew(shop: Shop, budget: Budget, edge: str) -> None:
    """At 00:00 UTC every day; on Sunday at 23:59 UTC every week."""
    await obey(shop, SendingRules(annoyance={"email": budget}))
    segment = await shop.segment("All", await shop.people(1))
    await sent(shop, segment)
    await shop.sql(f"update delivery set at = ({edge}) at time zone 'UTC' where org_id = %(org)s")
    assert (await sent(shop, segment)).dropped == {"annoyance": 1}
    await shop.sql("update delivery set at = at - interval '1 second' where org_id = %(org)s")
    assert (await sent(shop, segment)).sent == 1


async def test_the_first_row_of_the_grid_with_a_person_decides(shop: Shop) -> None:
    vip, both, other = await shop.people(3)
    best, all_ = await shop.segment("VIP", [vip, both]), await shop.segment("All", [vip, both, other])
    off = await shop.segment("Off", [both])
    grid = [
        StrategyRow({"sale": []}, off),
        StrategyRow({"sale": [1, 2, 3, 4, 5, 6, 7]}, best),
        StrategyRow({"news": [1, 2, 3, 4, 5, 6, 7]}),
    ]
    await obey(shop, SendingRules(strategy=grid))
    campaign = await launched(shop, all_, tags=["sale"])
    assert await shop.outcomes(campaign.campaign_id) == {
        both: ("dropped", "strategy"),
        other: ("dropped", "strategy"),
    }
    assert (await sent(shop, all_, tags=["service"])).sent == 3, "the grid does not speak of it"
    await obey(shop, SendingRules(strategy=grid[:2]))
    assert (await sent(shop, all_, tags=["sale"])).sent == 2, "in no row"


def test_a_tag_goes_on_its_days() -> None:
    grid = [StrategyRow({"sale": [1], "news": [2]}, 7), StrategyRow({"sale": [1, 2]})]
    assert strategy.refused_rows(grid, ["sale"], 1) == []
    assert strategy.refused_rows(grid, ["sale"], 2) == [0]
    assert strategy.refused_rows(grid, ["sale", "news"], 2) == [], "one of the tags may go"
    assert strategy.refused_rows(grid, ["news", "else"], 2) == [1], "blank: not sent"
    assert strategy.refused_rows(grid, ["else"], 2) is None
    assert strategy.refused_rows([], ["sale"], 2) is None


async def test_rows_are_of_segments_that_are_there(shop: Shop) -> None:
    with pytest.raises(Invalid, match="segment"):
        await obey(shop, SendingRules(strategy=[StrategyRow({}, 12345)]))
