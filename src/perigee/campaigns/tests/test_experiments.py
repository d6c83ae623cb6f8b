"""Experiments: who gets which variant, who wins, what the rest gets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from perigee.campaigns import experiments, manage
from perigee.campaigns.plan import Experiment, Goal, Plan, Variant
from perigee.campaigns.types import Campaign, Pace, VariantResult
from perigee.delivery.targets import Targets
from perigee.errors import Conflict, Invalid
from perigee.messages.links import Click, Recipient
from perigee.testing.sending import Shop

NOW = datetime.now(UTC)
SUBJECTS = [Variant(subject="Red"), Variant(subject="Green"), Variant(subject="Blue")]


@pytest.fixture(autouse=True)
def _fresh_now() -> None:
    """Modules are imported long before their tests run."""
    global NOW
    NOW = datetime.now(UTC)


async def planned(shop: Shop, people: int, experiment: Experiment, **plan: Any) -> Campaign:
    segment = await shop.segment("All", await shop.people(people))
    return await shop.campaign(await shop.message(), [segment], plan=Plan(experiment=experiment, **plan))


async def launched(shop: Shop, people: int, experiment: Experiment, **plan: Any) -> Campaign:
    campaign = await shop.launch((await planned(shop, people, experiment, **plan)).campaign_id)
    assert campaign.error is None
    return campaign


async def subjects(shop: Shop) -> dict[str, int]:
    rows = await shop.sql("select body from sandbox_message where org_id = %(org)s")
    found = [
        next(line for line in row[0].splitlines() if line.lower().startswith(b"subject:")).decode()[9:]
        for row in rows
    ]
    return {subject: found.count(subject) for subject in found}


async def variants(shop: Shop, campaign: Campaign) -> list[VariantResult]:
    found = (await shop.report(campaign.campaign_id)).variants
    assert found is not None
    return found


async def act(
    shop: Shop, campaign: Campaign, variant: int, status: str, people: int, meta: str = "{}"
) -> None:
    """So many people of a variant open or click."""
    await shop.sql(
        "insert into activity (org_id, at, send_id, ordinal, contact_id, channel, status, meta)"
        " select d.org_id, now(), d.send_id, d.ordinal, d.contact_id, 'email', %(s)s, %(m)s::jsonb"
        " from delivery d join send_variant v using (org_id, send_id)"
        " where d.org_id = %(org)s and d.send_id = %(send)s and v.variant = %(v)s"
        " and d.ordinal between v.first_ordinal and v.last_ordinal order by d.ordinal limit %(n)s",
        s=status, m=meta, send=campaign.send_id, v=variant, n=people,
    )  # fmt: skip


async def test_all_are_split_evenly_and_nobody_waits(shop: Shop) -> None:
    campaign = await launched(shop, 30, Experiment(SUBJECTS))
    await shop.run_sender()
    assert await subjects(shop) == {"Red": 10, "Green": 10, "Blue": 10}
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.sent) == ("finished", 30)
    assert [(one.variant, one.name, one.sent) for one in await variants(shop, campaign)] == [
        (1, "Red", 10), (2, "Green", 10), (3, "Blue", 10)
    ]  # fmt: skip
    with pytest.raises(Conflict, match="no rest"):
        await shop.act(experiments.choose, campaign.campaign_id, variant=1, now=NOW)


async def test_the_rest_gets_the_winner_after_the_time(shop: Shop) -> None:
    campaign = await launched(shop, 40, Experiment(SUBJECTS, 30, "opens", 60))
    await shop.run_sender()
    assert await subjects(shop) == {"Red": 4, "Green": 4, "Blue": 4}
    assert (await shop.report(campaign.campaign_id)).waiting == 28
    await act(shop, campaign, 1, "READ", 4, '{"machine": "prefetch"}')
    await act(shop, campaign, 2, "READ", 2)
    await act(shop, campaign, 3, "CLICKED", 1)
    await experiments.decide_due(shop.db, NOW + timedelta(minutes=59))
    assert (await shop.progress(campaign.campaign_id)).waiting == 28, "it is not time yet"
    for _ in range(2):
        await experiments.decide_due(shop.db, datetime.now(UTC) + timedelta(minutes=61))
        await shop.run_sender()
        assert await subjects(shop) == {"Red": 4, "Green": 32, "Blue": 4}, "machines do not choose"
    found = await variants(shop, campaign)
    assert [(one.variant, one.people, one.opened, one.clicked, one.winner) for one in found] == [
        (1, 4, 0, 0, False), (2, 4, 2, 0, True), (3, 4, 1, 1, False), (0, 28, 0, 0, False)
    ]  # fmt: skip
    assert (await shop.report(campaign.campaign_id)).state == "finished"


async def test_clicks_and_conversions_can_decide(shop: Shop) -> None:
    campaign = await launched(shop, 20, Experiment(SUBJECTS[:2], 50, "clicks"))
    await shop.run_sender()
    await act(shop, campaign, 1, "READ", 5)
    await act(shop, campaign, 2, "CLICKED", 1)
    found = await variants(shop, campaign)
    assert (experiments.best(found, "opens"), experiments.best(found, "clicks")) == (1, 2)
    assert experiments.best(found, "conversions") == 1, "the first of equals"


async def test_conversions_are_counted_by_variant(shop: Shop) -> None:
    campaign = await launched(
        shop, 20, Experiment(SUBJECTS[:2], 50, "conversions"), goal=Goal(event="bought")
    )
    await shop.run_sender()
    await shop.sql("insert into event_type (org_id, key, name) values (%(org)s, 'bought', 'Bought')")
    await shop.sql(
        "insert into event (org_id, occurred_at, event_type_id, contact_id)"
        " select d.org_id, now(), t.event_type_id, d.contact_id from delivery d join event_type t using (org_id)"
        " join send_variant v using (org_id, send_id) where d.org_id = %(org)s and v.variant = 2"
        " and d.ordinal between v.first_ordinal and v.last_ordinal"
    )
    assert [one.converted for one in await variants(shop, campaign)] == [0, 5, 0]
    await experiments.decide_due(shop.db, datetime.now(UTC) + timedelta(hours=5))
    assert [one.winner for one in await variants(shop, campaign)] == [False, True, False]


async def test_a_winner_by_hand(shop: Shop) -> None:
    campaign = await launched(shop, 10, Experiment(SUBJECTS[:2], 20))
    await shop.run_sender()
    await experiments.decide_due(shop.db, datetime.now(UTC) + timedelta(days=40))
    assert (await shop.progress(campaign.campaign_id)).waiting == 8
    with pytest.raises(Invalid, match="1 to 2"):
        await shop.act(experiments.choose, campaign.campaign_id, variant=3, now=NOW)
    for _ in range(2):
        await shop.act(experiments.choose, campaign.campaign_id, variant=2, now=NOW)
    with pytest.raises(Conflict, match="winner already"):
        await shop.act(experiments.choose, campaign.campaign_id, variant=1, now=NOW)
    await shop.run_sender()
    assert await subjects(shop) == {"Red": 1, "Green": 9}


async def test_a_test_that_is_not_sent_yet_decides_nothing(shop: Shop) -> None:
    campaign = await launched(shop, 10, Experiment(SUBJECTS[:2], 20, "opens"))
    await experiments.decide_due(shop.db, datetime.now(UTC) + timedelta(days=1))
    assert not any(one.winner for one in await variants(shop, campaign))


async def test_a_stop_settles_the_rest_too(shop: Shop) -> None:
    campaign = await launched(shop, 10, Experiment(SUBJECTS[:2], 20, "opens"))
    await shop.run_sender()
    await shop.act(manage.stop, campaign.campaign_id)
    report = await shop.report(campaign.campaign_id)
    assert (report.sent, report.dropped, report.waiting) == (2, {"stopped": 8}, 0)


async def test_content_sender_and_links_can_differ(shop: Shop) -> None:
    other = await shop.message(
        versions={"en": {"subject": "Other", "htmlText": "<a href='https://shop.example.com/other'>Go</a>"}}
    )
    wanted = Experiment([Variant(message_id=other), Variant(sender="Ann <ann@shop.example.com>")])
    campaign = await launched(shop, 4, wanted)
    await shop.run_sender()
    rows = await shop.sql("select ordinal, sender from sandbox_message where org_id = %(org)s order by 1")
    assert sum("ann@" in row[1] for row in rows) == 2
    assert campaign.send_id is not None
    targets = Targets(shop.db)
    urls = []
    for ordinal, _ in rows:
        who = Recipient(org_id=shop.org_id, send_id=campaign.send_id, ordinal=ordinal, contact_id=1)
        urls.append((await targets.of(Click(who, 1, None))).url)
    assert sorted(urls) == ["https://shop.example.com/a"] * 2 + ["https://shop.example.com/other"] * 2


async def test_who_is_held_out_is_in_no_variant(shop: Shop) -> None:
    campaign = await launched(shop, 20, Experiment(SUBJECTS[:2], 50, "opens"), holdout=20)
    assert [one.people for one in await variants(shop, campaign)] == [4, 4, 8]
    assert (await shop.report(campaign.campaign_id)).dropped == {"holdout": 4}


async def test_what_does_not_go_together_is_refused(shop: Shop) -> None:
    sms = await shop.message("sms")
    segment = await shop.segment("None", [])
    half = Experiment(SUBJECTS, 50)
    for message, plan, pace in (
        (await shop.message(), Plan(experiment=half), Pace(10, "HOUR")),
        (await shop.message(), Plan(experiment=half, local_time="10:00"), None),
        (await shop.message(), Plan(experiment=Experiment([Variant(), Variant(message_id=sms)])), None),
        (await shop.message(), Plan(experiment=Experiment([Variant(), Variant(message_id=77)])), None),
        (sms, Plan(experiment=half), None),
    ):
        with pytest.raises(Invalid, match="experiment"):
            await shop.campaign(message, [segment], plan=plan, pace=pace)
