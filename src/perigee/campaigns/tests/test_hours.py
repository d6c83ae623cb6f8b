"""Hours and time zones of a campaign: who gets it when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from perigee.campaigns import launch, manage, rules, timing
from perigee.campaigns.plan import Plan
from perigee.campaigns.types import Campaign, Pace
from perigee.delivery.hours import Hours
from perigee.delivery.rules import SendingRules
from perigee.errors import Conflict, Invalid
from perigee.testing.sending import PUBLIC_URL, Shop

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _fresh_now() -> None:
    """Modules are imported long before their tests run."""
    global NOW
    NOW = datetime.now(UTC)


def clock(hours: float, zone: str = "UTC") -> str:
    """What clocks show so many hours from now."""
    return f"{(NOW + hours * HOUR).astimezone(ZoneInfo(zone)):%H:%M}"


def open_now() -> Hours:
    return Hours(clock(-2), clock(2))


def closed_now(at_most: int | None = None) -> Hours:
    return Hours(clock(2), clock(4), wait_at_most_hours=at_most)


async def obey(shop: Shop, wanted: SendingRules) -> None:
    async with shop.db.transaction() as connection:
        await rules.write(connection, shop.org_id, wanted)


async def planned(shop: Shop, people: list[int], plan: Plan | None, **more: object) -> Campaign:
    segment = await shop.segment(f"{NOW} {people}", people)
    return await shop.campaign(await shop.message(), [segment], plan=plan, **more)


async def begin(shop: Shop, now: datetime) -> None:
    """Launches what is scheduled as if it were `now`."""
    await shop.sql("update campaign set scheduled_at = now() where org_id = %(org)s")
    await launch.launch_due(shop.db, now=now, grace=timedelta(days=30), batch_size=500, public_url=PUBLIC_URL)


async def waiting(shop: Shop) -> dict[int, float]:
    """recipient → hours until their batch is due."""
    rows = await shop.sql(
        "select r, extract(epoch from b.due_at - s.started_at)::float8 / 3600 from send_batch b"
        " join send s using (org_id, send_id), unnest(b.recipients) r where b.org_id = %(org)s"
    )
    return dict(rows)


async def test_at_launch_people_of_each_zone_wait_for_their_own_hour(shop: Shop) -> None:
    zones = ("UTC", "Etc/GMT-5", "Etc/GMT+5")
    people = [await shop.person(f"{n}@example.com", time_zone=zone) for n, zone in enumerate(zones)]
    nowhere = await shop.person("nowhere@example.com")
    campaign = await planned(shop, [*people, nowhere], Plan(hours=Hours(clock(5), clock(7))))
    await shop.launch(campaign.campaign_id)
    found = await waiting(shop)
    minute = 1 / 30
    assert found[people[0]] == pytest.approx(5, abs=minute)
    assert found[people[1]] == 0, "there it is the hour now"
    assert found[people[2]] == pytest.approx(10, abs=minute)
    assert found[nowhere] == found[people[0]], "the organisation's zone"
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.sent, report.waiting) == ("running", 1, 3)


async def test_hours_are_judged_again_right_before_sending(shop: Shop) -> None:
    campaign = await planned(shop, await shop.people(3), None)
    await shop.launch(campaign.campaign_id)
    await obey(shop, SendingRules(hours={"email": closed_now()}))
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.sent, report.waiting) == ("running", 0, 3)
    rows = await shop.sql("select reason, attempt, due_at from send_retry where org_id = %(org)s")
    assert {(row[0], row[1]) for row in rows} == {("quiet_hours", 1)}, "no attempt is counted"
    assert all(HOUR < row[2] - NOW < 2.1 * HOUR for row in rows)
    await obey(shop, SendingRules(hours={"email": open_now(), "sms": closed_now()}))
    await shop.retry_now()
    await shop.run_sender()
    assert (await shop.report(campaign.campaign_id)).sent == 3


async def test_who_would_wait_too_long_is_dropped(shop: Shop) -> None:
    campaign = await planned(shop, await shop.people(2), Plan(hours=closed_now(1)))
    await shop.launch(campaign.campaign_id)
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.dropped) == ("finished", {"quiet_hours": 2})


async def test_a_paced_campaign_keeps_its_steps_and_its_hours(shop: Shop) -> None:
    campaign = await planned(shop, await shop.people(4), Plan(hours=closed_now()), pace=Pace(2, "HOUR"))
    await shop.launch(campaign.campaign_id)
    assert sorted((await waiting(shop)).values()) == [0, 0, 1, 1]
    await shop.run_sender()
    assert (await shop.progress(campaign.campaign_id)).retrying == 2


async def test_in_everybodys_own_time(shop: Shop) -> None:
    """10:00 on a day: it begins where that comes first and lasts until it has come everywhere."""
    east = await shop.person("east@example.com", time_zone="Pacific/Kiritimati")
    west = await shop.person("west@example.com", time_zone="Pacific/Pago_Pago")
    home, nowhere = (
        (await shop.person("h@example.com", time_zone="UTC")),
        (await shop.person("n@example.com")),
    )
    campaign = await planned(shop, [east, west, home, nowhere], Plan(local_time="10:00"))
    day = (NOW + timedelta(days=3)).date()
    at = datetime.combine(day, datetime.min.time(), UTC)
    scheduled = await shop.act(manage.launch, campaign.campaign_id, at=at, now=NOW)
    first = at.replace(hour=10, tzinfo=timezone(timedelta(hours=14))).astimezone(UTC)
    assert scheduled.scheduled_at == first
    await begin(shop, first)
    assert await waiting(shop) == {east: 0, home: 14, nowhere: 14, west: 25}


async def test_where_the_hour_has_passed_it_is_the_next_day(shop: Shop) -> None:
    late, early = "Etc/GMT-3", "Etc/GMT+3"  # the clock shows three hours more, three hours less
    people = [await shop.person(f"{n}@example.com", time_zone=zone) for n, zone in enumerate((late, early))]
    campaign = await planned(shop, people, Plan(local_time=clock(0)))
    await shop.act(manage.launch, campaign.campaign_id, at=None, now=NOW)
    await shop.sql("update campaign set scheduled_at = now() where org_id = %(org)s")
    await shop.launch_due()
    found = await waiting(shop)
    assert found[people[0]] % 24 == pytest.approx(21, abs=0.1)
    assert found[people[1]] % 24 == pytest.approx(3, abs=0.1)


def test_it_is_the_day_in_the_organisations_zone_that_counts() -> None:
    kyiv, now = ZoneInfo("Europe/Kyiv"), datetime(2026, 5, 5, 12, tzinfo=UTC)
    plan = Plan(local_time="10:00")
    start = timing.start(plan, datetime(2026, 5, 7, 22, 30, tzinfo=UTC), now, kyiv)
    assert start == (datetime(2026, 5, 7, 20, tzinfo=UTC), datetime(2026, 5, 8).date())
    assert timing.start(plan, None, now, kyiv) == (now, datetime(2026, 5, 5).date())
    with pytest.raises(Invalid, match="past"):
        timing.start(plan, datetime(2026, 5, 4, 12, tzinfo=UTC), now, kyiv)


@pytest.mark.parametrize("launched", [False, True])
async def test_switched_off_all_get_it_at_the_organisations_hour(shop: Shop, launched: bool) -> None:
    east = await shop.person("east@example.com", time_zone="Pacific/Kiritimati")
    west = await shop.person("west@example.com", time_zone="Pacific/Pago_Pago")
    campaign = await planned(shop, [east, west], Plan(local_time="10:00"))
    day = (NOW + timedelta(days=3)).date()
    at = datetime.combine(day, datetime.min.time(), UTC)
    await shop.act(manage.launch, campaign.campaign_id, at=at, now=NOW)
    if launched:
        await begin(shop, at - 4 * HOUR)
    changed = await shop.act(manage.leave_local_time, campaign.campaign_id, now=NOW)
    assert changed.plan is not None
    assert changed.plan.local_time is None
    due = at.replace(hour=10)
    if launched:
        assert await shop.sql("select distinct due_at from send_batch where due_at > now()") == [(due,)]
    else:
        assert changed.scheduled_at == due
    assert await shop.act(manage.leave_local_time, campaign.campaign_id, now=NOW) == changed


async def test_a_finished_campaign_has_no_time_to_leave(shop: Shop) -> None:
    campaign = await planned(shop, [], Plan(local_time=clock(0)))
    await shop.launch(campaign.campaign_id)
    await shop.run_sender()
    with pytest.raises(Conflict):
        await shop.act(manage.leave_local_time, campaign.campaign_id, now=NOW)


async def test_a_local_time_has_no_pace(shop: Shop) -> None:
    with pytest.raises(Invalid, match="pace"):
        await planned(shop, [], Plan(local_time="10:00"), pace=Pace(2, "HOUR"))


async def test_a_pause_does_not_move_hours_of_the_day(shop: Shop) -> None:
    campaign = await planned(shop, await shop.people(1), Plan(hours=closed_now()))
    await shop.launch(campaign.campaign_id)
    due = await shop.value("select due_at from send_batch where org_id = %(org)s")
    await shop.act(manage.pause, campaign.campaign_id)
    await shop.sql("update send set paused_at = paused_at - interval '1 hour' where org_id = %(org)s")
    await shop.act(manage.resume, campaign.campaign_id)
    assert await shop.value("select due_at from send_batch where org_id = %(org)s") == due
