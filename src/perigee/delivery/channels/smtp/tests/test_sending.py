"""Sending against a real server: what arrives, what refusals do to the session, what is given back untouched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from perigee.delivery.channel import Advice, Outcome, Reason
from perigee.delivery.channels.smtp import client
from perigee.delivery.channels.smtp.channel import SmtpChannel
from perigee.delivery.channels.smtp.tests.factories import BODY, make_outgoing, until
from perigee.testing.smtp_faults import At, Fault, Rule
from perigee.testing.smtp_fixtures import StartServer
from perigee.testing.smtp_server import SmtpServer

OpenChannel = Callable[..., SmtpChannel]
PIPELINING = pytest.mark.parametrize("extensions", [("PIPELINING",), ()], ids=["pipelined", "stepwise"])
LARGE = b"Subject: x\r\n\r\n" + b"0123456789\r\n" * 200_000


@PIPELINING
async def test_messages_arrive_as_they_are(
    start_smtp_server: StartServer, open_channel: OpenChannel, extensions: tuple[str, ...]
) -> None:
    server = await start_smtp_server(extensions=extensions, max_size=10_000_000)
    receipts = await open_channel(server).send([make_outgoing(number) for number in range(100)])
    assert {receipt.outcome for receipt in receipts} == {Outcome.SENT}
    assert all(
        receipt.provider_id and receipt.code == 250 and receipt.enhanced == "2.0.0" for receipt in receipts
    )
    assert sorted(server.recipients) == sorted(f"user{number}@example.net" for number in range(100))
    assert {message.body for message in server.accepted} == {BODY % number for number in range(100)}
    assert {message.message_id for message in server.accepted} == {
        f"<{number}@example.com>" for number in range(100)
    }
    assert server.connections <= 8


@PIPELINING
async def test_a_refused_recipient_leaves_the_session_clean(
    start_smtp_server: StartServer, open_channel: OpenChannel, extensions: tuple[str, ...]
) -> None:
    rules = [
        Rule(At.RCPT, Fault.PERMANENT, recipient="user3@"),
        Rule(At.MAIL, Fault.TEMPORARY, only=frozenset({5})),
    ]
    server = await start_smtp_server(extensions=extensions, faults=rules)
    receipts = await open_channel(server, connections=1).send([make_outgoing(number) for number in range(10)])
    assert [receipt.outcome for receipt in receipts].count(Outcome.SENT) == 8
    assert receipts[3].outcome is Outcome.FAILED
    assert receipts[4].outcome is Outcome.DEFERRED
    assert not receipts[4].counted
    assert server.commands.count("RSET") == 2
    assert server.connections == 1


async def test_data_granted_for_nobody_gets_an_empty_message(
    start_smtp_server: StartServer, open_channel: OpenChannel
) -> None:
    server = await start_smtp_server(
        eager_data=True, faults=[Rule(At.RCPT, Fault.PERMANENT, only=frozenset({2}))]
    )
    receipts = await open_channel(server, connections=1).send([make_outgoing(number) for number in range(4)])
    assert [receipt.outcome for receipt in receipts] == ["sent", "failed", "sent", "sent"]
    assert len(server.accepted) == 3


@PIPELINING
async def test_a_refused_message_is_judged_by_the_answer_to_its_dot(
    start_smtp_server: StartServer, open_channel: OpenChannel, extensions: tuple[str, ...]
) -> None:
    rules = [
        Rule(At.DOT, Fault.PERMANENT, only=frozenset({1})),
        Rule(At.DOT, Fault.TEMPORARY, only=frozenset({2})),
    ]
    server = await start_smtp_server(extensions=extensions, faults=rules)
    receipts = await open_channel(server, connections=1).send([make_outgoing(number) for number in range(4)])
    assert [receipt.outcome for receipt in receipts] == ["failed", "deferred", "sent", "sent"]
    assert receipts[1].counted
    assert server.connections == 1


async def test_the_next_envelope_rides_behind_the_dot(
    smtp_server: SmtpServer, open_channel: OpenChannel
) -> None:
    channel = open_channel(smtp_server, connections=1)
    await channel.send([make_outgoing(number) for number in range(3)])
    session = next(iter(channel.pool._idle))
    assert session.served == 3
    assert smtp_server.commands[1:] == [
        line
        for number in range(3)
        for line in ("MAIL FROM:<bounce@example.com>", f"RCPT TO:<user{number}@example.net>", "DATA")
    ]


async def test_no_envelope_rides_behind_the_dot_of_a_slow_server(
    start_smtp_server: StartServer, open_channel: OpenChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "QUICK", 0.0)
    server = await start_smtp_server(faults=[Rule(At.DOT, Fault.DROP, only=frozenset({2}))])
    channel = open_channel(server, connections=1)
    receipts = await channel.send([make_outgoing(number) for number in range(4)])
    # The first was sent before the server was known to be slow; behind the lost second one nothing was begun.
    assert [receipt.outcome for receipt in receipts] == ["sent", "uncertain", "sent", "sent"]
    assert server.connections == 2


async def test_no_dot_after_the_right_to_send_ran_out(
    smtp_server: SmtpServer, open_channel: OpenChannel
) -> None:
    answers = iter([True, False])
    receipt = await open_channel(smtp_server).submit(make_outgoing(allow_send=lambda: next(answers)))
    assert (receipt.outcome, receipt.reason, receipt.counted) == (Outcome.DEFERRED, Reason.LEASE_LOST, False)
    assert smtp_server.accepted == []
    assert "DATA" in smtp_server.commands


async def test_a_large_messages_dot_waits_for_its_body_and_asks_again(
    smtp_server: SmtpServer, open_channel: OpenChannel
) -> None:
    asked: list[int] = []
    channel = open_channel(smtp_server)

    def allow() -> bool:
        asked.append(len(asked))
        session = next(iter(channel.pool._live))
        assert session._socket.get_write_buffer_size() == 0
        return len(asked) < 2

    receipt = await channel.submit(make_outgoing(payload=LARGE, allow_send=allow))
    assert receipt.reason is Reason.LEASE_LOST
    assert len(asked) == 2
    assert smtp_server.accepted == []


async def test_a_large_message_arrives(smtp_server: SmtpServer, open_channel: OpenChannel) -> None:
    channel = open_channel(smtp_server, connections=1)
    receipts = await channel.send(
        [make_outgoing(1, payload=LARGE), make_outgoing(2), make_outgoing(3, payload=LARGE)]
    )
    assert {receipt.outcome for receipt in receipts} == {Outcome.SENT}
    assert [len(message.body or b"") for message in smtp_server.accepted][::2] == [len(LARGE)] * 2


async def test_a_large_message_refused_before_its_end(
    start_smtp_server: StartServer, open_channel: OpenChannel
) -> None:
    server = await start_smtp_server(faults=[Rule(At.BODY, Fault.PERMANENT)])
    receipt = await open_channel(server).submit(make_outgoing(payload=LARGE))
    assert receipt.outcome in (Outcome.FAILED, Outcome.DEFERRED)  # the reset may overtake the answer
    assert server.accepted == []


async def test_what_waited_too_long_is_not_begun(smtp_server: SmtpServer, open_channel: OpenChannel) -> None:
    receipt = await open_channel(smtp_server).submit(make_outgoing(fresh_until=0.0))
    assert (receipt.outcome, receipt.reason, receipt.counted) == (Outcome.DEFERRED, Reason.STALE, False)
    assert receipt.advice is Advice.NOTHING
    assert not any(command.startswith("MAIL") for command in smtp_server.commands)


async def test_injection_never_reaches_the_server(smtp_server: SmtpServer, open_channel: OpenChannel) -> None:
    evil = ["a@b>\r\nRCPT TO:<victim@example.net", "a@b\r\nDATA", "a@b\n", "<a@b>", "a@b\0"]
    batch = [make_outgoing(number, address=address) for number, address in enumerate(evil)]
    batch += [make_outgoing(number, sender=address) for number, address in enumerate(evil)]
    receipts = await open_channel(smtp_server).send([*batch, make_outgoing(99)])
    assert [receipt.reason for receipt in receipts] == [Reason.BAD_ADDRESS] * 5 + [Reason.BAD_MESSAGE] * 5 + [
        None
    ]
    assert smtp_server.recipients == ["user99@example.net"]
    assert len([command for command in smtp_server.commands if command.startswith("MAIL")]) == 1


async def test_international_addresses_where_the_server_takes_them(
    start_smtp_server: StartServer, open_channel: OpenChannel
) -> None:
    batch = [make_outgoing(1, address="олена@приклад.укр"), make_outgoing(2)]
    able, unable = await start_smtp_server(), await start_smtp_server(extensions=())
    assert [receipt.outcome for receipt in await open_channel(able).send(batch)] == ["sent", "sent"]
    assert "олена@xn--80aikifvh.xn--j1amh" in able.recipients
    receipts = await open_channel(unable).send(batch)
    assert (receipts[0].reason, receipts[0].advice) == (Reason.ADDRESS_NOT_SUPPORTED, Advice.NOTHING)
    assert receipts[1].outcome is Outcome.SENT


async def test_smuggled_ends_stay_inside_the_message(
    smtp_server: SmtpServer, open_channel: OpenChannel
) -> None:
    evil = b"Subject: x\r\n\r\nhello\n.\nMAIL FROM:<evil@example.com>\r.\r\n.\r\nQUIT\r\n"
    receipt = await open_channel(smtp_server).submit(make_outgoing(payload=evil))
    assert receipt.outcome is Outcome.SENT
    assert len(smtp_server.accepted) == 1
    assert smtp_server.accepted[0].body == (
        b"Subject: x\r\n\r\nhello\r\n.\r\nMAIL FROM:<evil@example.com>\r\n.\r\n.\r\nQUIT\r\n"
    )


async def test_a_session_is_left_at_a_clean_boundary(
    smtp_server: SmtpServer, open_channel: OpenChannel
) -> None:
    channel = open_channel(smtp_server, connections=2, messages_per_connection=10)
    receipts = await channel.send([make_outgoing(number) for number in range(40)])
    assert {receipt.outcome for receipt in receipts} == {Outcome.SENT}
    assert max(sum(m.connection == number for m in smtp_server.accepted) for number in range(1, 9)) == 10
    await channel.close()
    assert smtp_server.commands.count("QUIT") == smtp_server.connections


async def test_close_gives_back_what_waits_and_finishes_what_is_begun(
    start_smtp_server: StartServer, open_channel: OpenChannel
) -> None:
    server = await start_smtp_server(faults=[Rule(At.DOT, Fault.SLOW)])
    channel = open_channel(server, connections=1)
    futures = [channel.submit(make_outgoing(number)) for number in range(5)]
    await until(lambda: "DATA" in server.commands)
    await channel.close()
    receipts = [await future for future in futures]
    assert receipts[0].outcome is Outcome.SENT
    assert {receipt.reason for receipt in receipts[2:]} == {Reason.CLOSING}
    assert [receipt.outcome for receipt in receipts].count(Outcome.SENT) == len(server.accepted)
    assert (await channel.submit(make_outgoing(9))).reason is Reason.CLOSING


async def test_close_without_grace_names_the_uncertain(
    start_smtp_server: StartServer, open_channel: OpenChannel
) -> None:
    server = await start_smtp_server(faults=[Rule(At.DOT, Fault.HANG)])
    channel = open_channel(server, connections=1)
    future = channel.submit(make_outgoing())
    await until(lambda: server.accepted)
    await channel.close(grace=0.0)
    assert (await future).outcome is Outcome.UNCERTAIN
