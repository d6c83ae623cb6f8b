"""Campaigns end to end, through an SMSC that shares no code with us."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import gsm0338
import smpp34

from perigee.db.pool import Database
from perigee.delivery.channels.smpp.tests.peer import Peer, Smsc, scripted, silent
from perigee.delivery.events import waiting
from perigee.delivery.provider_changes import change_provider
from perigee.delivery.providers import Channels, add_provider
from perigee.delivery.types import ProviderUpdate
from perigee.testing.sending import Shop, until

LONG = "Знижка для %FIRSTNAME|друга%: " + "😀я" * 50


async def use_smpp(shop: Shop, port: int, **settings: Any) -> int:
    async with shop.db.transaction() as connection:
        return await add_provider(
            connection,
            shop.org_id,
            shop.keys.sealing,
            channel="sms",
            kind="smpp",
            name="Operator",
            settings={"host": "127.0.0.1", "port": port, "system_id": "shop", **settings},
            secrets={"password": "pass"},
        )


async def people(shop: Shop, count: int) -> list[int]:
    return [await shop.person(phone=str(380_500_000_000 + n), first_name=f"N{n}") for n in range(count)]


def arrived(smsc: Smsc) -> dict[str, str]:
    """What each handset shows: parts put together by the header, by another decoder than ours."""
    parts: dict[str, dict[int, bytes]] = {}
    codings: dict[str, int] = {}
    for _, event in smsc.messages:
        octets, number = event.short_message, 1
        if event.esm_class & 0x40:
            number, octets = octets[5], octets[6:]
        assert number not in parts.setdefault(event.destination_addr, {}), "a part came twice"
        parts[event.destination_addr][number] = octets
        codings[event.destination_addr] = event.data_coding
    return {
        phone: (
            b"".join(found[n] for n in sorted(found)).decode("utf-16-be")
            if codings[phone] == 8
            else "".join(gsm0338.Codec().decode(found[n])[0] for n in sorted(found))
        )
        for phone, found in parts.items()
    }


async def statuses(shop: Shop) -> dict[str, int]:
    return dict(
        await shop.sql("select status, count(*)::int from activity where org_id = %(org)s group by status")
    )


async def test_every_part_arrives_and_receipts_tell_of_delivery(smsc: Smsc, shop: Shop) -> None:
    await use_smpp(shop, smsc.port)

    def receipt(message_id: str, event: smpp34.SubmitSmEvent) -> bytes:
        state = "UNDELIV err:001" if event.destination_addr.endswith("7") else "DELIVRD"
        return f"id:{message_id} sub:001 dlvrd:001 stat:{state} text:".encode()

    smsc.receipt = receipt
    smsc.refuse = {"380500000003": 0x0B}
    chosen = await people(shop, 10)
    campaign = await shop.started(chosen, channel="sms", versions={"uk": {"text": LONG}})
    async with shop.sending():
        await until(shop.idle)

        async def all_reported() -> bool:
            await waiting.match(shop.db)
            found = await statuses(shop)
            return found.get("DELIVERED", 0) == 8 and found.get("UNDELIVERED", 0) == 2

        await until(all_reported)
    report = await shop.report(campaign.campaign_id)
    assert (report.chosen, report.sent, sum(report.failed.values()), report.uncertain) == (10, 9, 1, 0)
    assert (await statuses(shop))["SENT"] == 9
    texts = arrived(smsc)
    assert texts == {
        str(380_500_000_000 + n): LONG.replace("%FIRSTNAME|друга%", f"N{n}") for n in range(10) if n != 3
    }
    assert len(smsc.messages) == 27  # three parts each
    assert {event.registered_delivery for _, event in smsc.messages} == {1}


async def test_receipts_may_come_before_the_answer(smsc: Smsc, shop: Shop) -> None:
    await use_smpp(shop, smsc.port)
    smsc.early = True
    smsc.receipt = lambda message_id, _event: f"id:{message_id} stat:DELIVRD".encode()
    await shop.started(await people(shop, 5), channel="sms")
    async with shop.sending():
        await until(shop.idle)

        async def all_reported() -> bool:
            await waiting.match(shop.db)
            return (await statuses(shop)).get("DELIVERED", 0) == 5

        await until(all_reported)
    assert await statuses(shop) == {"SENT": 5, "DELIVERED": 5}


async def test_a_dead_worker_leaves_only_uncertain_messages_and_nobody_gets_two(shop: Shop) -> None:
    async with scripted() as peer:
        await use_smpp(shop, peer.port, window=5)
        peer.replies = [0, 0, 0, *[silent] * 5]
        campaign = await shop.started(await people(shop, 30), channel="sms", batch_size=30)
        await _die_in_the_middle(shop, peer)
        assert len(peer.submitted) == 8
        await shop.sql(
            "update send_batch set lease_until = now() - interval '1 second' where org_id = %(org)s"
        )
        await shop.run_sender()
        report = await shop.report(campaign.campaign_id)
        assert report.chosen == report.sent + report.uncertain == 30
        assert 5 <= report.uncertain <= 30
        numbers = [message.destination.value for message in peer.submitted]
        assert len(numbers) == len(set(numbers)), "somebody got two"


async def _die_in_the_middle(shop: Shop, peer: Peer) -> None:
    """A sender whose process is gone: nothing of it runs on, nothing is written or given back."""
    sender = shop.sender()
    before = asyncio.all_tasks()
    running = asyncio.create_task(sender.run(idle_seconds=0.01))
    while len(peer.submitted) < 8:  # noqa: ASYNC110  # the other side of a socket
        await asyncio.sleep(0.005)
    await asyncio.sleep(0.1)  # outcomes of the first three are committed
    for task in asyncio.all_tasks() - before - {running}:
        task.cancel()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    for connection in peer.connections:
        connection.transport.abort()
    await asyncio.sleep(0.05)


async def test_every_worker_stays_bound_while_the_provider_is_on(shop: Shop, db: Database) -> None:
    async with scripted() as peer:
        provider_id = await use_smpp(shop, peer.port)
        channels = [Channels(db, shop.keys.sealing, {}) for _ in range(2)]
        for one in channels:
            await one.keep_standing()
            await one.keep_standing()
        await until(_bound(peer, 2))
        assert [pdu.body.split(b"\0")[1] for pdu in peer.binds] == [b"pass", b"pass"]
        async with db.transaction() as connection:
            await change_provider(
                connection, shop.org_id, shop.keys.sealing, provider_id, ProviderUpdate(enabled=False)
            )
        await shop.sql(
            "insert into provider_message (org_id, provider_id, message_id, send_id, ordinal, at)"
            " values (%(org)s, %(p)s, 'x', 1, 1, now() - interval '2 days')",
            p=provider_id,
        )
        await channels[0].keep_standing()
        assert channels[0]._open, "receipts may still come"
        await shop.sql("update provider_message set at = now() - interval '4 days' where org_id = %(org)s")
        for one in channels:
            await one.keep_standing()
            assert not one._open
        await until(_unbound(peer, 2))
        for one in channels:
            await one.close()


def _bound(peer: Peer, count: int) -> Any:
    async def bound() -> bool:
        return len(peer.binds) == count

    return bound


def _unbound(peer: Peer, count: int) -> Any:
    async def unbound() -> bool:
        return sum(pdu.command == 0x06 for pdu in peer.received) == count

    return unbound


async def test_throttled_messages_wait_and_are_sent(shop: Shop) -> None:
    async with scripted() as peer:
        await use_smpp(shop, peer.port)
        peer.replies = [0x58, 0x14]
        campaign = await shop.started(await people(shop, 6), channel="sms")
        began = time.monotonic()
        while (await shop.report(campaign.campaign_id)).sent < 6:
            await shop.run_sender()
            await shop.retry_now()
            assert time.monotonic() - began < 20
        assert (await shop.report(campaign.campaign_id)).chosen == 6
        assert len(peer.submitted) == 8
