"""The database goes away under a sender: it survives, goes on afterwards, and stops no send for it."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from psycopg import errors as pg

from perigee.delivery import batch, lease
from perigee.delivery.lease import Lane, Window
from perigee.delivery.sends import Send
from perigee.testing.sending import SETTINGS, Shop, until


class Outage:
    """The next calls of something that speaks to the database fail like a server that is gone; then it works."""

    def __init__(self, real: Callable[..., Awaitable[Any]], times: int) -> None:
        self.real = real
        self.left = times

    async def __call__(self, *arguments: Any, **named: Any) -> Any:
        if self.left:
            self.left -= 1
            raise pg.AdminShutdown("terminating connection due to administrator command")
        return await self.real(*arguments, **named)


async def test_a_sender_survives_a_database_that_is_away_when_it_asks_for_work(
    shop: Shop, monkeypatch: Any
) -> None:
    campaign = await shop.started(await shop.people(20))
    outage = Outage(lease.claim, 3)
    monkeypatch.setattr(lease, "claim", outage)
    await shop.run_sender()
    assert outage.left == 0
    assert (await shop.report(campaign.campaign_id)).sent == 20


async def test_a_send_is_not_paused_because_the_database_was_away(shop: Shop, monkeypatch: Any) -> None:
    campaign = await shop.started(await shop.people(20))
    sender = shop.sender()
    outage = Outage(sender.sends.get, 1)
    monkeypatch.setattr(sender.sends, "get", outage)
    assert await sender._claim(Lane.CAMPAIGN) is None
    assert outage.left == 0
    found = await shop.get(campaign.campaign_id)
    assert (found.state, found.error) == ("running", None)
    await shop.sql("update send_batch set lease_until = now() where org_id = %(org)s")
    await shop.run_sender()
    assert (await shop.report(campaign.campaign_id)).sent == 20


async def test_room_of_a_window_that_was_never_written_comes_back(shop: Shop, monkeypatch: Any) -> None:
    """A commit that fails again and again must not use up the process's window, or it never sends again."""
    campaign = await shop.started(await shop.people(400), batch_size=100)
    real = lease.commit
    failing = {0, 3, 4, 6}
    calls = 0

    async def commit(connection: Any, held: lease.Lease, window: Window, seconds: float) -> str | None:
        nonlocal calls
        calls += 1
        if calls - 1 in failing:
            # The lease is over, so that the next sender need not wait for it.
            await shop.sql("update send_batch set lease_until = now() where owner is not null")
            raise pg.OperationalError("server closed the connection unexpectedly")
        return await real(connection, held, window, seconds)

    monkeypatch.setattr(lease, "commit", commit)
    async with shop.sending() as (sender,):
        await until(shop.idle)
    assert sender.free == SETTINGS.window_size
    assert calls > len(failing)
    report = await shop.report(campaign.campaign_id)
    assert report.sent + report.uncertain == 400
    assert report.uncertain <= SETTINGS.window_size * len(failing)


async def test_outcomes_known_while_the_database_was_away_are_kept(shop: Shop, monkeypatch: Any) -> None:
    """Every second commit fails, half of those after it was written: nobody is uncertain, nobody comes twice."""
    campaign = await shop.started(await shop.people(300), batch_size=100)
    real = lease.commit
    calls = 0

    async def commit(connection: Any, held: lease.Lease, window: Window, seconds: float) -> str | None:
        nonlocal calls
        calls += 1
        if calls % 4 == 0:
            raise pg.AdminShutdown("terminating connection due to administrator command")
        state = await real(connection, held, window, seconds)
        if calls % 4 == 2:
            raise pg.OperationalError("server closed the connection unexpectedly")
        return state

    monkeypatch.setattr(lease, "commit", commit)
    monkeypatch.setattr(batch, "LOOK_AGAIN_SECONDS", 0.001)
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert (report.state, report.sent, report.uncertain) == ("finished", 300, 0)
    assert await shop.value("select count(*) from sandbox_message where org_id = %(org)s") == 300


async def test_a_commit_whose_answer_was_lost_counts_no_intent_of_a_paused_send(shop: Shop) -> None:
    await shop.started(await shop.people(3))
    held = await lease.claim(shop.db, uuid.UUID(int=1), 30, Lane.CAMPAIGN)
    assert held is not None
    window = Window(position=3, in_flight=[0, 1, 2])
    async with shop.db.connection() as connection:
        assert await lease.written(connection, held, window) is None
        await shop.sql("update send set state = 'paused' where org_id = %(org)s")
        assert await lease.commit(connection, held, window, 30) == "paused"
        assert await lease.commit(connection, held, window, 30) is None, "a window is written once"
        assert await lease.written(connection, held, window) == "paused"
        await shop.sql("update send set state = 'running' where org_id = %(org)s")
        assert await lease.written(connection, held, window) == "paused"


async def test_people_who_cannot_be_looked_at_now_are_looked_at_when_the_database_is_back(
    shop: Shop, monkeypatch: Any
) -> None:
    campaign = await shop.started(await shop.people(50))
    outage = Outage(Send.suppressed, 3)

    async def suppressed(send: Send, *arguments: Any) -> Any:
        return await outage(send, *arguments)

    monkeypatch.setattr(Send, "suppressed", suppressed)
    monkeypatch.setattr(batch, "LOOK_AGAIN_SECONDS", 0.001)
    await shop.run_sender()
    report = await shop.report(campaign.campaign_id)
    assert (report.sent, report.uncertain, outage.left) == (50, 0, 0)
