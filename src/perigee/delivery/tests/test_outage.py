"""The database goes away under a sender: it survives, goes on afterwards, and stops no send for it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from psycopg import errors as pg

from perigee.delivery import lease
from perigee.delivery.lease import Window
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
    assert await sender._claim() is None
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
