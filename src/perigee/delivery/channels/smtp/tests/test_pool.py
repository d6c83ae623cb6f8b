"""The pool: as many sessions as there is work for, patience after trouble, turns for everybody."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from perigee.delivery.channel import Outcome, Reason, Receipt
from perigee.delivery.channels.smtp.channel import SmtpChannel
from perigee.delivery.channels.smtp.pool import Backoff, SmtpPool
from perigee.delivery.channels.smtp.queue import FairQueue, Job
from perigee.delivery.channels.smtp.settings import Security, SmtpSettings
from perigee.delivery.channels.smtp.tests.factories import make_outgoing, until
from perigee.testing.smtp_faults import At, Fault, Rule
from perigee.testing.smtp_fixtures import StartServer
from perigee.testing.smtp_server import SmtpServer

OpenChannel = Callable[..., SmtpChannel]


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def pool_to(server: SmtpServer, clock: Clock, **settings: object) -> SmtpPool:
    values = {"host": "127.0.0.1", "port": server.port, "security": Security.NONE, "helo": "test", **settings}
    return SmtpPool(SmtpSettings(**values), clock=clock, jitter=lambda: 0.5)  # type: ignore[arg-type]  # a form's values


def test_the_wait_doubles_and_has_a_ceiling() -> None:
    backoff = Backoff()
    assert [backoff.seconds(n, False, 0.5) for n in (1, 2, 3, 7, 1000)] == [1, 2, 4, 60, 60]
    assert [round(backoff.seconds(1, False, jitter), 3) for jitter in (0.0, 1.0)] == [0.8, 1.2]
    assert backoff.seconds(1, True, 0.5) == 300


async def test_sends_take_turns() -> None:
    queue = FairQueue()
    loop = asyncio.get_running_loop()
    for send_id, ordinal in [(1, 1), (1, 2), (1, 3), (2, 1), (3, 1), (3, 2)]:
        queue.push(Job(make_outgoing(ordinal, send_id=send_id), loop.create_future()))
    queue.push_front(Job(make_outgoing(0, send_id=1), loop.create_future()))
    order = [(job.outgoing.send_id, job.outgoing.ordinal) for job in queue.drain()]
    assert order == [(1, 0), (2, 1), (3, 1), (1, 1), (3, 2), (1, 2), (1, 3)]
    assert len(queue) == 0
    assert queue.pop() is None


async def test_one_message_opens_one_session_and_a_second_uses_it(
    smtp_server: SmtpServer, open_channel: OpenChannel
) -> None:
    channel = open_channel(smtp_server)
    assert smtp_server.connections == 0
    for number in range(5):
        assert (await channel.submit(make_outgoing(number))).outcome is Outcome.SENT
    assert smtp_server.connections == 1


async def test_never_more_sessions_than_allowed(
    start_smtp_server: StartServer, open_channel: OpenChannel
) -> None:
    server = await start_smtp_server(faults=[Rule(At.DATA, Fault.SLOW)])
    channel = open_channel(server, connections=3)
    futures = [channel.submit(make_outgoing(number)) for number in range(12)]
    most = 0
    while not all(future.done() for future in futures):
        most = max(most, len(server.open))
        await asyncio.sleep(0.001)
    assert most == 3
    assert len(server.accepted) == 12


async def test_trouble_is_reported_at_once_and_not_hammered(start_smtp_server: StartServer) -> None:
    server = await start_smtp_server(faults=[Rule(At.GREETING, Fault.CLOSING, only=frozenset({1, 2}))])
    clock = Clock()
    pool = pool_to(server, clock, connections=1)
    first = await pool.submit(make_outgoing(1))
    assert (first.outcome, first.reason, first.retry_after) == (
        Outcome.DEFERRED,
        Reason.PROVIDER_REFUSED,
        1.0,
    )
    again = pool.submit(make_outgoing(2))
    assert again.done()
    assert server.connections == 1
    clock.now += 1.0
    assert (await pool.submit(make_outgoing(3))).retry_after == 2.0
    assert server.connections == 2
    clock.now += 2.0
    assert (await pool.submit(make_outgoing(4))).outcome is Outcome.SENT
    assert pool.trouble is None
    await pool.close()


async def test_openings_that_fail_together_are_one_failure(start_smtp_server: StartServer) -> None:
    server = await start_smtp_server(faults=[Rule(At.GREETING, Fault.DROP)])
    clock = Clock()
    pool = pool_to(server, clock, connections=8)
    receipts = await asyncio.gather(*[pool.submit(make_outgoing(number)) for number in range(8)])
    assert server.connections > 1
    assert {receipt.reason for receipt in receipts} <= {Reason.CONNECTION_LOST, Reason.PROVIDER_UNREACHABLE}
    clock.now += 1.0
    again = await pool.submit(make_outgoing(9))
    assert again.retry_after == 2.0, "one more failure: twice as long, not 2⁸ times"
    await pool.close()


async def test_what_a_broken_session_left_goes_to_an_idle_one_during_a_pause(
    start_smtp_server: StartServer,
) -> None:
    server = await start_smtp_server(faults=[Rule(At.GREETING, Fault.DROP, only=frozenset({3}))])
    pool = pool_to(server, Clock(), connections=3)
    await asyncio.gather(pool.submit(make_outgoing(1)), pool.submit(make_outgoing(2)))
    await until(lambda: pool.trouble is None and len(server.open) == 2)
    third = [pool.submit(make_outgoing(number)) for number in (3, 4, 5)]
    await asyncio.gather(*third)
    await until(lambda: pool.trouble is not None)
    broken = next(iter(pool._live))
    left = Job(make_outgoing(6), asyncio.get_running_loop().create_future())
    pool.untouched(broken, left, Receipt(Outcome.DEFERRED, Reason.CONNECTION_LOST), rode=True)
    pool.closed(broken, "connection lost")
    assert (await asyncio.wait_for(left.future, 5)).outcome is Outcome.SENT
    await pool.close()


async def test_sessions_that_only_pretend_to_work_count_as_trouble(start_smtp_server: StartServer) -> None:
    server = await start_smtp_server(faults=[Rule(At.MAIL, Fault.DROP)])
    clock = Clock()
    pool = pool_to(server, clock, connections=1)
    receipts = await asyncio.gather(*[pool.submit(make_outgoing(number)) for number in range(10)])
    assert {receipt.outcome for receipt in receipts} == {Outcome.DEFERRED}
    assert not any(receipt.counted for receipt in receipts)
    assert server.connections == 1
    await pool.close()


async def test_a_limit_on_connections_leaves_the_work_to_those_there_are(
    start_smtp_server: StartServer, open_channel: OpenChannel
) -> None:
    only = frozenset(range(2, 100))
    server = await start_smtp_server(faults=[Rule(At.GREETING, Fault.CLOSING, only=only)])
    channel = open_channel(server, connections=8)
    assert (await channel.submit(make_outgoing(0))).outcome is Outcome.SENT
    receipts = await channel.send([make_outgoing(number) for number in range(1, 60)])
    assert {receipt.outcome for receipt in receipts} == {Outcome.SENT}
    assert server.connections < 12


async def test_a_session_closed_by_the_server_while_idle_is_no_trouble(
    smtp_server: SmtpServer, open_channel: OpenChannel
) -> None:
    channel = open_channel(smtp_server)
    await channel.submit(make_outgoing(1))
    next(iter(smtp_server.open)).transport.write(b"421 4.4.2 idle too long\r\n")
    next(iter(smtp_server.open)).transport.close()
    await until(lambda: not channel.pool._live)
    assert channel.pool.trouble is None
    assert (await channel.submit(make_outgoing(2))).outcome is Outcome.SENT


async def test_a_session_unused_for_long_says_quit(
    start_smtp_server: StartServer, open_channel: OpenChannel
) -> None:
    server = await start_smtp_server()
    channel = open_channel(server)
    await channel.submit(make_outgoing(1))
    session = next(iter(channel.pool._idle))
    session._deadline = 0.0
    session._tick()
    await until(lambda: not server.open)
    assert server.commands[-1] == "QUIT"
    assert not channel.pool._idle
    assert (await channel.submit(make_outgoing(2))).outcome is Outcome.SENT


async def test_a_failed_attempt_beside_a_good_one_strands_nobody(start_smtp_server: StartServer) -> None:
    faults = [
        Rule(At.GREETING, Fault.DROP, only=frozenset({1})),
        Rule(At.GREETING, Fault.SLOW, only=frozenset({2})),
    ]
    server = await start_smtp_server(faults=faults, close_every=1)
    pool = pool_to(server, Clock(), connections=2)
    receipts = await asyncio.gather(*[pool.submit(make_outgoing(number)) for number in range(6)])
    assert {receipt.outcome for receipt in receipts} == {Outcome.SENT}
    await pool.close()


async def test_a_server_that_trickles_wins_no_time(
    start_smtp_server: StartServer, open_channel: OpenChannel
) -> None:
    server = await start_smtp_server(faults=[Rule(At.DOT, Fault.HANG)])
    channel = open_channel(server)
    future = channel.submit(make_outgoing())
    await until(lambda: server.accepted)
    session = next(iter(channel.pool._live))
    before = session._deadline
    session.data_received(b"250-still thinking\r\n2")
    assert session._deadline == before
    session._deadline = 0.0
    session._tick()
    assert not future.done(), "one more turn, for a process that was stopped"
    session._tick()
    assert (await future).outcome is Outcome.UNCERTAIN
