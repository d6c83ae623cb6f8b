"""No destination takes all connections, single messages find one, and who asked us to stop gets them back one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

from perigee.delivery.channel import Outcome, Reason, Receipt
from perigee.delivery.channels.smtp.channel import SmtpChannel
from perigee.delivery.channels.smtp.client import Session
from perigee.delivery.channels.smtp.queue import Job
from perigee.delivery.channels.smtp.tests.factories import make_outgoing, until
from perigee.delivery.channels.smtp.turns import GROWS_AFTER, Turns
from perigee.testing.smtp_faults import At, Fault, Rule
from perigee.testing.smtp_fixtures import StartServer

OpenChannel = Callable[..., SmtpChannel]
SENT = Receipt(Outcome.SENT)
TOO_FAST = Receipt(Outcome.DEFERRED, Reason.QUOTA, "4.7.28", 421, counted=False)
HANGS = Rule(At.DOT, Fault.HANG, recipient="@slow")


def slow(number: int, **more: Any) -> Any:
    return make_outgoing(number, address=f"user{number}@slow.example", **more)


def session() -> Session:
    """Turns only tell one from the other."""
    return cast(Session, object())


async def job(address: str, *, single: bool = False) -> Job:
    outgoing = make_outgoing(1, address=address, single=single)
    return Job(outgoing, asyncio.get_running_loop().create_future())


async def test_a_destination_that_hangs_leaves_connections_to_the_others(
    start_smtp_server: StartServer, open_channel: OpenChannel
) -> None:
    server = await start_smtp_server(faults=[HANGS])
    channel = open_channel(server, connections=8)
    hanging = [channel.submit(slow(number)) for number in range(40)]
    others = [channel.submit(make_outgoing(number)) for number in range(100, 140)]
    assert {receipt.outcome for receipt in await asyncio.gather(*others)} == {Outcome.SENT}
    assert not any(future.done() for future in hanging)
    busy = {address for address in server.recipients if "@slow" in address}
    assert len(busy) <= 6, "one for single messages, one for another destination"
    await channel.close(grace=0)


async def test_the_only_destination_leaves_room_for_another_and_for_a_single_message(
    start_smtp_server: StartServer, open_channel: OpenChannel
) -> None:
    server = await start_smtp_server(faults=[HANGS])
    channel = open_channel(server, connections=8)
    for number in range(40):
        channel.submit(slow(number))
    await until(lambda: len(server.recipients) == 6)
    assert (await channel.submit(make_outgoing(100))).outcome is Outcome.SENT
    channel.submit(slow(200, send_id=2, single=True))
    await until(lambda: "user200@slow.example" in server.recipients)
    await channel.close(grace=0)


async def test_campaigns_to_however_many_destinations_keep_a_connection_for_single_messages(
    start_smtp_server: StartServer, open_channel: OpenChannel
) -> None:
    server = await start_smtp_server(faults=[Rule(At.DOT, Fault.HANG, recipient="@slow")])
    channel = open_channel(server, connections=4)
    for number in range(20):
        channel.submit(make_outgoing(number, address=f"user@slow{number}.example"))
    await until(lambda: len(server.recipients) == 3)
    assert (await channel.submit(make_outgoing(100, send_id=2, single=True))).outcome is Outcome.SENT
    assert len(server.open) == 4
    await channel.close(grace=0)


async def test_a_limit_of_the_provider_holds(
    start_smtp_server: StartServer, open_channel: OpenChannel
) -> None:
    server = await start_smtp_server(faults=[HANGS])
    channel = open_channel(server, connections=8, connections_per_domain=2)
    for number in range(20):
        channel.submit(slow(number))
    assert (await channel.submit(make_outgoing(100))).outcome is Outcome.SENT
    assert len([address for address in server.recipients if "@slow" in address]) == 2
    await channel.close(grace=0)


async def test_what_waited_for_a_place_goes_when_there_is_one(
    start_smtp_server: StartServer, open_channel: OpenChannel
) -> None:
    server = await start_smtp_server()
    channel = open_channel(server, connections=8, connections_per_domain=1)
    outgoing = [make_outgoing(n, address=f"u{n}@d{n % 3}.example") for n in range(60)]
    receipts = await channel.send(outgoing)
    assert {receipt.outcome for receipt in receipts} == {Outcome.SENT}
    assert len(server.accepted) == 60


async def test_who_asked_us_to_stop_comes_back_with_one_connection_and_grows() -> None:
    turns = Turns(8)
    sessions = [session() for _ in range(8)]
    again, held = await job("a@gmail.com"), await job("b@gmail.com")
    turns.learn(again, TOO_FAST)
    assert turns.may(again, sessions[0], alone=True)
    turns.begin(again, sessions[0])
    assert not turns.may(held, sessions[1], alone=True)
    assert turns.may(held, sessions[0], alone=True), "behind it, on the same connection"
    assert turns.may(await job("c@ukr.net"), sessions[1], alone=False), "nobody else is held"
    for _ in range(GROWS_AFTER):
        turns.learn(again, SENT)
    assert turns.may(held, sessions[1], alone=True)
    turns.begin(held, sessions[1])
    assert not turns.may(await job("d@gmail.com"), sessions[2], alone=True), "one at a time"
    turns.end(again)
    turns.end(held)
    for _ in range(2 * GROWS_AFTER):
        turns.learn(again, SENT)
    for number in range(6):
        another = await job(f"e{number}@gmail.com")
        assert turns.may(another, sessions[number], alone=True), "as before"
        turns.begin(another, sessions[number])


async def test_few_connections_are_kept_for_nobody() -> None:
    turns = Turns(2)
    first, second = session(), session()
    turns.begin(await job("a@gmail.com"), first)
    assert turns.may(await job("b@gmail.com"), second, alone=True)
    assert not turns.may(await job("b@gmail.com"), second, alone=False)


async def test_a_message_that_nobody_waits_for_any_more_gives_its_place_back() -> None:
    turns = Turns(8, per_domain=1)
    given_up = Job(
        make_outgoing(1, address="a@example.com"),
        asyncio.get_running_loop().create_future(),
        lambda job, _: turns.end(job),
    )
    turns.begin(given_up, session())
    other = await job("b@example.com")
    assert not turns.may(other, session(), alone=True)
    given_up.future.cancel()
    given_up.resolve(SENT)
    assert turns.may(other, session(), alone=True)
