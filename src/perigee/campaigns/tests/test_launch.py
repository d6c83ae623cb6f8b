"""The launch: whom it freezes, when it happens, what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from perigee.campaigns import audience, manage
from perigee.campaigns.types import Pace
from perigee.errors import Invalid
from perigee.testing.sending import Shop

NOW = datetime.now(UTC)


async def everybody(shop: Shop) -> tuple[dict[str, int], int, int]:
    """(reason or "ok" → contact, included segment, excluded segment) with one person for every reason."""
    people = {
        name: await shop.person(f"{name}@example.com")
        for name in (
            "ok", "unconfirmed", "unsubscribed", "category", "complained", "blacklisted", "blocked", "excluded"
        )
    }  # fmt: skip
    people["duplicate_address"] = await shop.person("ok@example.com")
    people["no_address"] = await shop.person(phone="380501112233")
    await shop.mark("unconfirmed@example.com", "confirmed", "false")
    await shop.mark("unsubscribed@example.com", "unsubscribed_at")
    await shop.mark("complained@example.com", "complained_at")
    await shop.mark("blacklisted@example.com", "blacklisted_at")
    await shop.mark("blocked@example.com", "blocked_until", "now() + interval '1 day'")
    deleted = await shop.person("deleted@example.com", deleted_at=NOW)
    subscribers = [contact for name, contact in people.items() if name != "category"]
    news = await shop.segment("News", subscribers)
    await shop.sql(
        "insert into subscription_category (org_id, key, name, segment_id) values (%(org)s, 'news', 'News', %(s)s)",
        s=news,
    )
    include = await shop.segment("All", [*people.values(), deleted])
    return people, include, await shop.segment("Out", [people["excluded"]])


async def test_the_count_is_what_the_launch_does(shop: Shop) -> None:
    people, include, exclude = await everybody(shop)
    campaign = await shop.campaign(await shop.message(categories=["news"]), [include], exclude=[exclude])
    async with shop.db.connection() as connection:
        count = await audience.count_campaign(connection, shop.org_id, campaign, NOW)
    assert count.dropped == dict.fromkeys(people.keys() - {"ok"}, 1)
    assert (count.chosen, count.reachable) == (10, 1), "the deleted are in no segment"
    await shop.launch(campaign.campaign_id)
    outcomes = await shop.outcomes(campaign.campaign_id)
    assert outcomes == {contact: ("dropped", name) for name, contact in people.items() if name != "ok"}
    assert await shop.sql("select recipients, ordinals from send_batch where org_id = %(org)s") == [
        ([people["ok"]], [0])
    ]
    report = await shop.report(campaign.campaign_id)
    assert (report.chosen, report.waiting, report.dropped) == (10, 1, count.dropped)


async def test_a_contact_in_several_segments_gets_one_copy(shop: Shop) -> None:
    people = await shop.people(3)
    one, two = await shop.segment("One", people[:2]), await shop.segment("Two", people[1:])
    campaign = await shop.campaign(await shop.message(), [one, two, one])
    await shop.launch(campaign.campaign_id)
    assert await shop.sql("select recipients from send_batch where org_id = %(org)s") == [(people,)]


async def test_launch_again_changes_nothing(shop: Shop) -> None:
    campaign = await shop.started(await shop.people(5))
    assert campaign.state == "running"
    again = await shop.act(manage.launch, campaign.campaign_id, at=None, now=datetime.now(UTC))
    assert again == campaign
    await shop.launch_due()
    assert await shop.value("select count(*) from send where org_id = %(org)s") == 1


async def test_a_worker_does_not_wait_for_a_launch_that_another_one_does(shop: Shop) -> None:
    message_id, people = await shop.message(), await shop.people(2)
    campaign = await shop.campaign(message_id, [await shop.segment("All", people)])
    await shop.act(manage.launch, campaign.campaign_id, at=None, now=datetime.now(UTC))
    async with shop.db.transaction() as other:
        await other.execute("select 1 from campaign for update")
        await shop.launch_due()
        assert (await shop.get(campaign.campaign_id)).state == "scheduled"
    await shop.launch_due()
    assert (await shop.get(campaign.campaign_id)).state == "running"


async def test_launch_at_a_time(shop: Shop) -> None:
    segment = await shop.segment("All", await shop.people(2))
    campaign = await shop.campaign(await shop.message(), [segment])
    at = NOW + timedelta(hours=3)
    planned = await shop.act(manage.launch, campaign.campaign_id, at=at, now=NOW)
    assert (planned.state, planned.scheduled_at) == ("scheduled", at)
    assert await shop.act(manage.launch, campaign.campaign_id, at=at, now=NOW) == planned
    await shop.launch_due(at + timedelta(days=1))
    assert (await shop.get(campaign.campaign_id)).state == "scheduled", (
        "the database's clock says what is due"
    )
    earlier = await shop.act(manage.launch, campaign.campaign_id, at=None, now=NOW)
    assert earlier.scheduled_at == NOW, "without a time it is now, whatever was planned"
    await shop.launch_due()
    assert (await shop.get(campaign.campaign_id)).state == "running"


async def test_a_time_in_the_past_is_refused(shop: Shop) -> None:
    campaign = await shop.campaign(await shop.message(), [await shop.segment("All", [])])
    with pytest.raises(Invalid, match="past"):
        await shop.act(manage.launch, campaign.campaign_id, at=NOW - timedelta(seconds=1), now=NOW)
    assert (await shop.get(campaign.campaign_id)).state == "draft"


@pytest.mark.parametrize(("late", "state"), [(7190, "running"), (7300, "held")])
async def test_a_schedule_missed_by_more_than_two_hours_asks(shop: Shop, late: int, state: str) -> None:
    segment = await shop.segment("All", await shop.people(2))
    campaign = await shop.campaign(await shop.message(), [segment])
    await shop.sql(
        "update campaign set state = 'scheduled', scheduled_at = %(at)s where org_id = %(org)s",
        at=NOW - timedelta(seconds=late),
    )
    await shop.launch_due(NOW)
    found = await shop.get(campaign.campaign_id)
    assert found.state == state
    if state == "held":
        assert found.error is not None
        assert "missed" in found.error
        assert (await shop.launch(campaign.campaign_id)).state == "running"
        assert (await shop.get(campaign.campaign_id)).error is None


async def test_a_message_that_is_gone_or_broken_fails_with_the_reason(shop: Shop) -> None:
    segment = await shop.segment("All", await shop.people(2))
    gone = await shop.campaign(await shop.message(), [segment])
    await shop.sql("update message set deleted_at = now() where org_id = %(org)s")
    broken = await shop.campaign(
        await shop.message(versions={"en": {}, "uk": {"subject": "{% if %}"}}), [segment]
    )
    good = await shop.campaign(await shop.message(), [segment])
    for campaign in (gone, broken, good):
        await shop.act(manage.launch, campaign.campaign_id, at=None, now=NOW)
    await shop.launch_due()
    found = [await shop.get(campaign.campaign_id) for campaign in (gone, broken, good)]
    assert [one.state for one in found] == ["failed", "failed", "running"]
    assert "deleted" in str(found[0].error)
    assert "subject" in str(found[1].error)
    assert await shop.value("select count(*) from send where org_id = %(org)s") == 1, "nothing half-launched"


async def test_what_is_edited_after_the_launch_is_not_sent(shop: Shop) -> None:
    people = await shop.people(1)
    campaign = await shop.started(people)
    await shop.sql(
        "update message_version set content = jsonb_set(content, '{subject}', '\"Changed\"') where org_id = %(org)s"
    )
    await shop.run_sender()
    (row,) = await shop.sql("select body from sandbox_message where org_id = %(org)s")
    assert b"Changed" not in row[0]
    assert (await shop.report(campaign.campaign_id)).sent == 1


async def test_pace_makes_steps(shop: Shop) -> None:
    segment = await shop.segment("All", await shop.people(25))
    campaign = await shop.campaign(await shop.message(), [segment], pace=Pace(10, "HOUR"))
    await shop.launch(campaign.campaign_id, batch_size=7)
    rows = await shop.sql(
        "select extract(epoch from b.due_at - s.started_at)::int, sum(cardinality(b.recipients))::int"
        " from send_batch b join send s using (org_id, send_id) where b.org_id = %(org)s group by 1 order by 1"
    )
    assert rows == [(0, 10), (3600, 10), (7200, 5)]
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.sent, report.waiting) == ("running", 10, 15)


async def test_an_empty_audience_finishes(shop: Shop) -> None:
    campaign = await shop.started([])
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.chosen) == ("finished", 0)
