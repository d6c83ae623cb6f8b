"""Limits and replies at work: who may not begin now waits outside the window, and the books stay exact."""

from __future__ import annotations

import pytest

from perigee.delivery import destinations
from perigee.testing.sending import Shop, until
from perigee.testing.smtp_fixtures import StartServer
from perigee.testing.smtp_server import SmtpServer


async def limit(shop: Shop, provider: int, limits: str) -> None:
    await shop.sql(
        "update provider set limits = %(l)s where org_id = %(org)s and provider_id = %(p)s",
        l=limits,
        p=provider,
    )


async def state(shop: Shop) -> list[tuple[str, bool, bool]]:
    """(destination, is it slowed, is it stopped)."""
    rows = await shop.sql(
        "select name, rate is not null, coalesce(stopped_until > now(), false) from destination_state"
        " where org_id = %(org)s order by 1"
    )
    return [tuple(row) for row in rows]


async def test_a_day_limit_is_never_passed_and_the_rest_waits(shop: Shop, smtp_server: SmtpServer) -> None:
    provider = await shop.use_smtp(smtp_server)
    await limit(shop, provider, '{"day": 70}')
    campaign = await shop.started(await shop.people(200), batch_size=50)

    async def at_rest() -> bool:
        return not await shop.sql(
            "select from send_batch where org_id = %(org)s and owner is not null and done_at is null"
        )

    async with shop.sending(2) as senders:

        async def all_stalled() -> bool:
            return all(sender.resting.wait(shop.org_id, provider) for sender in senders) and await at_rest()

        await until(all_stalled)
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.sent, report.waiting) == ("running", 70, 130)
    assert len(set(smtp_server.recipients)) == 70
    await shop.sql("update pace set day = day - 1 where org_id = %(org)s")
    await shop.sql("update send_batch set due_at = now() where org_id = %(org)s")
    async with shop.sending() as senders:
        await until(all_stalled)
    assert (await shop.report(campaign.campaign_id)).sent == 140
    assert len(smtp_server.recipients) == len(set(smtp_server.recipients)) == 140


async def test_when_a_provider_is_at_its_limit_the_next_takes_over(
    shop: Shop, start_smtp_server: StartServer
) -> None:
    first, second = await start_smtp_server(), await start_smtp_server()
    one, two = await shop.use_smtp(first), await shop.use_smtp(second)
    await shop.sql("update provider set priority = 200 where org_id = %(org)s and provider_id = %(p)s", p=two)
    await limit(shop, one, '{"day": 30}')
    campaign = await shop.started(await shop.people(100), batch_size=20)
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.sent) == ("finished", 100)
    assert (len(first.recipients), len(second.recipients)) == (30, 70)
    carried = await shop.sql("select provider_id, count(*) from delivery where org_id = %(org)s group by 1")
    assert dict(carried) == {one: 30, two: 70}


async def test_providers_of_one_priority_share_by_weight(shop: Shop, start_smtp_server: StartServer) -> None:
    first, second = await start_smtp_server(), await start_smtp_server()
    one, _ = await shop.use_smtp(first), await shop.use_smtp(second)
    await shop.sql("update provider set weight = 3 where org_id = %(org)s and provider_id = %(p)s", p=one)
    await shop.started(await shop.people(80), batch_size=10)
    await shop.run_sender()
    assert (len(first.recipients), len(second.recipients)) == (60, 20)


async def test_the_sandbox_never_takes_over_from_a_real_provider(shop: Shop, smtp_server: SmtpServer) -> None:
    provider = await shop.use_smtp(smtp_server)
    await limit(shop, provider, '{"day": 10}')
    campaign = await shop.started(await shop.people(50))
    async with shop.sending() as (sender,):

        async def stalled() -> bool:
            return sender.resting.wait(shop.org_id, provider) > 0 and await shop.idle()

        await until(stalled)
    assert (await shop.report(campaign.campaign_id)).waiting == 40
    assert await shop.value("select count(*) from sandbox_message where org_id = %(org)s") == 0


async def test_what_began_in_the_sandbox_stays_there(shop: Shop, smtp_server: SmtpServer) -> None:
    await shop.started(await shop.people(5))
    await shop.use_smtp(smtp_server)
    await shop.run_sender()
    assert smtp_server.recipients == []


async def test_people_of_a_limited_destination_wait_and_their_neighbours_do_not(
    shop: Shop, smtp_server: SmtpServer
) -> None:
    await shop.use_smtp(smtp_server)
    await shop.sql(
        "insert into destination (org_id, name, per_second) values (%(org)s, 'slow.example.com', 0.001)"
    )
    slow, fast = await shop.people(60, "slow.example.com"), await shop.people(60, "fast.example.com")
    campaign = await shop.started([*slow, *fast], batch_size=40)
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.sent, report.waiting) == ("running", 61, 59)
    assert await shop.sql("select distinct reason, attempt from send_retry where org_id = %(org)s") == [
        ("paced", 1)
    ]
    await shop.sql("delete from destination where org_id = %(org)s")
    await shop.retry_now()
    await shop.run_sender()
    assert (await shop.report(campaign.campaign_id)).state == "finished"
    assert len(smtp_server.recipients) == len(set(smtp_server.recipients)) == 120


@pytest.mark.parametrize(
    ("answer", "slowed", "stopped"),
    [
        ("421 4.7.0 try again later", True, False),
        ("450 4.3.2 busy", True, False),
        ("451 4.3.0 try again later", True, False),
        ("454 4.4.0 cannot now", True, False),
        ("450 4.7.28 unusual rate of unsolicited mail", False, True),
        ("450 4.2.1 receiving mail too quickly", False, False),
        ("451 4.7.1 greylisted, come again", False, False),
        ("552 5.2.2 mailbox full", False, False),
        ("550 5.1.1 no such user", False, False),
        ("550 5.7.1 blocked for spam", False, True),
    ],
)
async def test_what_an_answer_does_to_its_destination(
    shop: Shop, start_smtp_server: StartServer, answer: str, slowed: bool, stopped: bool
) -> None:
    server = await start_smtp_server(answers={"@odd.": answer})
    await shop.use_smtp(server)
    odd, usual = await shop.people(15, "odd.example.com"), await shop.people(50)
    campaign = await shop.started([*odd, *usual])
    await shop.run_sender()
    assert await state(shop) == ([("odd.example.com", slowed, stopped)] if slowed or stopped else [])
    report = await shop.report(campaign.campaign_id)
    assert report.sent == 50 or answer.startswith("421"), "a 421 closes the connection: the others come later"
    assert ("odd.example.com" in str((await shop.progress(campaign.campaign_id)).error)) == (
        "5.7.1" in answer
    )


async def test_a_stopped_destination_stays_stopped_after_a_restart_until_it_is_lifted(
    shop: Shop, smtp_server: SmtpServer
) -> None:
    provider = await shop.use_smtp(smtp_server)
    await destinations.stop(shop.db, shop.org_id, provider, "example.com", None, "blocked")
    campaign = await shop.started([*await shop.people(5), *await shop.people(5, "example.net")])
    await shop.run_sender()
    await shop.retry_now()
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert (report.sent, report.waiting) == (5, 5)
    async with shop.db.transaction() as connection:
        await destinations.forget(connection, shop.org_id, "example.com")
    await shop.retry_now()
    await shop.run_sender()
    assert (await shop.report(campaign.campaign_id)).state == "finished"


async def test_a_destination_is_halved_once_in_a_while_and_never_to_nothing(shop: Shop) -> None:
    async def rate() -> float:
        return float(await shop.value("select rate from destination_state where org_id = %(org)s"))

    for _ in range(3):
        await destinations.slow(shop.db, shop.org_id, 1, {"d": 160.0}, "busy")
    assert await rate() == 80.0, "once in ten seconds"
    for _ in range(8):
        await shop.sql("update destination_state set changed_at = now() - interval '11 seconds'")
        await destinations.slow(shop.db, shop.org_id, 1, {"d": 999.0}, "busy")
    assert await rate() == 10.0
    await shop.sql("update destination_state set changed_at = now() - interval '61 seconds'")
    await destinations.slow(shop.db, shop.org_id, 1, {"d": 999.0}, "busy")
    assert await rate() == 20.0, "it had recovered to 40"


async def test_nobody_is_held_twice_of_a_send_that_is_paused_meanwhile(
    shop: Shop, smtp_server: SmtpServer
) -> None:
    from perigee.campaigns import manage

    await shop.use_smtp(smtp_server)
    await shop.sql(
        "insert into destination (org_id, name, per_second) values (%(org)s, 'example.com', 0.001)"
    )
    campaign = await shop.started(await shop.people(100), batch_size=20)
    async with shop.sending():
        await shop.act(manage.pause, campaign.campaign_id)
        await shop.act(manage.resume, campaign.campaign_id)
        await until(shop.idle)
    report = await shop.report(campaign.campaign_id)
    assert report.sent + report.waiting == 100
    assert report.sent <= 1
