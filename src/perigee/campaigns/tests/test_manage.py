"""Create, pause, resume, stop."""

from __future__ import annotations

import pytest

from perigee import upkeep
from perigee.campaigns import manage
from perigee.campaigns.types import Pace
from perigee.delivery import lease
from perigee.errors import Conflict, Invalid, NotFound
from perigee.testing.sending import Shop, make_shop, until
from perigee.testing.smtp_faults import Rule
from perigee.testing.smtp_fixtures import StartServer, smtp_server, start_smtp_server

__all__ = ["smtp_server", "start_smtp_server"]


async def test_create_knows_its_parts(shop: Shop) -> None:
    other = await make_shop(shop.db, "Other Shop")
    message, segment = await shop.message(), await shop.segment("All", [])
    foreign_message, foreign_segment = await other.message(), await other.segment("Theirs", [])
    for unknown in (404, foreign_message):
        with pytest.raises(NotFound, match=str(unknown)):
            await shop.campaign(unknown, [segment])
    for include, exclude in (([404], []), ([segment, foreign_segment], []), ([segment], [404])):
        with pytest.raises(Invalid, match="segment"):
            await shop.campaign(message, include, exclude=exclude)
    made = await shop.campaign(message, [segment], pace=Pace(100, "HOUR"))
    assert (made.state, made.title, made.channel, made.pace) == ("draft", "News", "email", Pace(100, "HOUR"))
    with pytest.raises(NotFound):
        await other.get(made.campaign_id)


async def test_states_forbid_and_repeats_are_harmless(shop: Shop) -> None:
    segment = await shop.segment("All", await shop.people(2))
    draft = await shop.campaign(await shop.message(), [segment])
    for action in (manage.pause, manage.resume):
        with pytest.raises(Conflict, match="draft"):
            await shop.act(action, draft.campaign_id)
    assert (await shop.act(manage.stop, draft.campaign_id)).state == "cancelled"
    assert (await shop.act(manage.stop, draft.campaign_id)).state == "cancelled"
    with pytest.raises(Conflict, match="cancelled"):
        await shop.launch(draft.campaign_id)
    campaign = await shop.launch((await shop.campaign(await shop.message(), [segment])).campaign_id)
    for action, state in (
        (manage.pause, "paused"),
        (manage.pause, "paused"),
        (manage.resume, "running"),
        (manage.resume, "running"),
        (manage.stop, "stopped"),
        (manage.stop, "stopped"),
    ):
        assert (await shop.act(action, campaign.campaign_id)).state == state
    for action in (manage.pause, manage.resume):
        with pytest.raises(Conflict, match="stopped"):
            await shop.act(action, campaign.campaign_id)
    with pytest.raises(NotFound):
        await shop.act(manage.stop, 404)


async def test_nothing_is_sent_while_paused(shop: Shop) -> None:
    people = await shop.people(30)
    campaign = await shop.started(people)
    await shop.act(manage.pause, campaign.campaign_id)
    await shop.run_sender()
    assert (await shop.report(campaign.campaign_id)).waiting == 30
    await shop.act(manage.resume, campaign.campaign_id)
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.sent) == ("finished", 30)


async def test_a_pause_moves_what_is_due_later(shop: Shop) -> None:
    segment = await shop.segment("All", await shop.people(20))
    made = await shop.campaign(await shop.message(), [segment], pace=Pace(10, "HOUR"))
    campaign = await shop.launch(made.campaign_id)
    await shop.act(manage.pause, campaign.campaign_id)
    await shop.sql("update send_batch set due_at = due_at - interval '2 hours' where org_id = %(org)s")
    await shop.sql("update send set paused_at = paused_at - interval '2 hours' where org_id = %(org)s")
    await shop.act(manage.resume, campaign.campaign_id)
    due = await shop.value(
        "select count(*) from send_batch where org_id = %(org)s and due_at > now() + interval '30 minutes'"
    )
    assert due == 1, "the second step still comes an hour after the first"


async def test_pause_and_stop_in_the_middle(shop: Shop, start_smtp_server: StartServer) -> None:
    server = await start_smtp_server(delay=0.002)
    await shop.use_smtp(server, connections=1)
    campaign = await shop.started(await shop.people(400), batch_size=200)

    async def some_sent() -> bool:
        return len(server.accepted) > sent

    async with shop.sending():
        sent = 20
        await until(some_sent)
        await shop.act(manage.pause, campaign.campaign_id)
        await until(shop.idle)
        paused = await shop.report(campaign.campaign_id)
        assert paused.sent == len(server.accepted) < 400
        await shop.act(manage.resume, campaign.campaign_id)
        sent = paused.sent + 20
        await until(some_sent)
        await shop.act(manage.stop, campaign.campaign_id)
        await until(shop.idle)
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.waiting, report.uncertain) == ("stopped", 0, 0)
    assert report.sent == len(server.accepted) == len(set(server.recipients)) < 400
    assert report.dropped == {"stopped": 400 - report.sent}
    assert len(await shop.outcomes(campaign.campaign_id)) == 400


async def test_stop_leaves_the_batch_of_a_living_sender_to_it(shop: Shop) -> None:
    campaign = await shop.started(await shop.people(5))
    sender = shop.sender()
    held = await lease.claim(shop.db, sender.owner, 30, lease.Lane.CAMPAIGN)
    assert held is not None
    await shop.act(manage.stop, campaign.campaign_id)
    assert (await shop.report(campaign.campaign_id)).waiting == 5
    await shop.sql("update send_batch set lease_until = now() - interval '1 second' where org_id = %(org)s")
    async with shop.db.transaction() as connection:
        await manage.settle_stopped(connection)
        await manage.settle_stopped(connection)
    assert (await shop.report(campaign.campaign_id)).dropped == {"stopped": 5}
    async with shop.db.connection() as connection:
        window = lease.Window(
            entries=[lease.Entry(held.ordinals[0], held.recipients[0], "x@example.com", "sent")]
        )
        assert await lease.commit(connection, held, window, 30) is None, "the former holder writes nothing"


async def test_stop_counts_those_who_wait_for_a_retry(shop: Shop, start_smtp_server: StartServer) -> None:
    server = await start_smtp_server(faults=[Rule.parse(r"rcpt:temporary:person-[1-3]@")])
    await shop.use_smtp(server)
    campaign = await shop.started(await shop.people(8))
    await shop.run_sender()
    waiting = await shop.progress(campaign.campaign_id)
    assert (waiting.sent, waiting.retrying, waiting.waiting, waiting.state) == (5, 3, 3, "running")
    await shop.act(manage.stop, campaign.campaign_id)
    report = await shop.report(campaign.campaign_id)
    assert (report.sent, report.dropped, report.waiting) == (5, {"stopped": 3}, 0)
    await upkeep.move_retries(shop.db)
    assert await shop.value("select count(*) from send_retry where org_id = %(org)s") == 0
