"""Messages through a scripted operator: parts, answers, windows, trouble."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import msgspec
import pytest

from perigee.delivery.channel import DeliveryError, Outcome, Reason
from perigee.delivery.channels.smpp.pdu import HEADER, RESPONSE, Command, Pdu, frame
from perigee.delivery.channels.smpp.session import Session
from perigee.delivery.channels.smpp.settings import BindMode, Concatenation, MessageIds
from perigee.delivery.channels.smpp.tests import peer as peers
from perigee.delivery.channels.smpp.tests.conftest import QUICK, OpenChannel, message
from perigee.delivery.channels.smpp.tests.peer import Connection, Peer


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110  # the other side of a socket
            await asyncio.sleep(0.005)


async def test_a_message_carries_what_the_settings_say(peer: Peer, open_channel: OpenChannel) -> None:
    channel = open_channel(peer.port, service_type="CMT", validity_hours=30, system_type="web")
    receipt = await channel.submit(message("Hi €"))
    assert (receipt.outcome, receipt.provider_ids) == (Outcome.SENT, ("1",))
    (sent,) = peer.submitted
    assert (tuple(sent.source), tuple(sent.destination)) == ((5, 0, "Shop"), (1, 1, "380501234567"))
    assert (sent.text, sent.data_coding, sent.registered_delivery) == (b"Hi \x1be", 0, 1)
    assert (sent.validity, sent.service_type) == ("000001060000000R", "CMT")
    assert peer.binds[0].body.startswith(b"shop\0pass\0web\0\x34")
    assert channel.reports


@pytest.mark.parametrize(
    ("sender", "source"),
    [("Shop", (5, 0, "Shop")), ("+380441112233", (1, 1, "380441112233")), ("4040", (3, 0, "4040"))],
)
async def test_the_senders_type_is_read_from_the_sender(
    peer: Peer, open_channel: OpenChannel, sender: str, source: tuple[int, int, str]
) -> None:
    await open_channel(peer.port).submit(message(sender=sender))
    assert tuple(peer.submitted[0].source) == source


async def test_the_settings_may_name_the_senders_type(peer: Peer, open_channel: OpenChannel) -> None:
    channel = open_channel(peer.port, source_ton=0, source_npi=9, destination_ton=2, receipts=False)
    await channel.submit(message(sender="4040"))
    (sent,) = peer.submitted
    assert (tuple(sent.source), sent.destination.ton, sent.registered_delivery) == ((0, 9, "4040"), 2, 0)
    assert not channel.reports


@pytest.mark.parametrize("sender", ["", "ДЕМО", "MoreThanEleven"])
async def test_an_impossible_sender_fails_before_anything_is_sent(
    peer: Peer, open_channel: OpenChannel, sender: str
) -> None:
    receipt = await open_channel(peer.port).submit(message(sender=sender))
    assert (receipt.outcome, receipt.reason) == (Outcome.FAILED, Reason.BAD_MESSAGE)
    assert not peer.submitted


async def test_all_parts_must_be_accepted_and_each_has_its_id(peer: Peer, open_channel: OpenChannel) -> None:
    receipt = await open_channel(peer.port).submit(message("a" * 400))
    assert (receipt.outcome, receipt.provider_ids) == (Outcome.SENT, ("1", "2", "3"))
    assert [text[:6] for text in peer.texts] == [bytes((5, 0, 3, 10, 3, n)) for n in (1, 2, 3)]
    assert b"".join(text[6:] for text in peer.texts) == b"a" * 400


async def test_the_reference_of_the_parts_counts_on(peer: Peer, open_channel: OpenChannel) -> None:
    channel = open_channel(peer.port)
    for _ in range(2):
        await channel.submit(message("a" * 170))
    assert [text[3] for text in peer.texts] == [10, 10, 11, 11]


async def test_too_many_parts_fail_the_message(peer: Peer, open_channel: OpenChannel) -> None:
    receipt = await open_channel(peer.port, max_parts=2).submit(message("a" * 307))
    assert (receipt.outcome, receipt.reason) == (Outcome.FAILED, Reason.TOO_LARGE)
    assert not peer.submitted


async def test_a_refused_first_part_is_the_only_one(peer: Peer, open_channel: OpenChannel) -> None:
    peer.replies = [0x0B]
    receipt = await open_channel(peer.port).submit(message("a" * 400))
    assert (receipt.outcome, receipt.reason, receipt.code) == (Outcome.FAILED, Reason.BAD_ADDRESS, 0x0B)
    assert receipt.text == "part 1 of 3: recipient is invalid (0x0000000B)"
    assert len(peer.submitted) == 1


async def test_a_later_part_refused_fails_the_message(peer: Peer, open_channel: OpenChannel) -> None:
    peer.replies = [0, 0x65]
    receipt = await open_channel(peer.port).submit(message("a" * 400))
    assert (receipt.outcome, receipt.reason) == (Outcome.FAILED, Reason.DESTINATION_REFUSED)
    assert receipt.text.startswith("part 2 of 3: ")


async def test_a_later_part_told_to_wait_is_sent_again_and_no_other(
    peer: Peer, open_channel: OpenChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perigee.delivery.channels.smpp.outbound.THROTTLED_SECONDS", 0.01)
    peer.replies = [0, 0x58, 0]
    receipt = await open_channel(peer.port).submit(message("a" * 400))
    assert receipt.outcome is Outcome.SENT
    assert [text[5] for text in peer.texts] == [1, 2, 3, 2]


async def test_a_connection_lost_between_parts_leaves_the_message_uncertain(
    peer: Peer, open_channel: OpenChannel
) -> None:
    peer.replies = [0, peers.drop]
    receipt = await open_channel(peer.port).submit(message("a" * 400))
    assert (receipt.outcome, receipt.reason) == (Outcome.UNCERTAIN, Reason.ANSWER_LOST)


async def test_later_parts_go_on_over_the_next_session(peer: Peer, open_channel: OpenChannel) -> None:
    def accept_and_leave(connection: Connection, pdu: Pdu) -> None:
        accepted = frame(Command.SUBMIT_SM_RESP, pdu.sequence, b"a\0")
        connection.write(accepted + frame(Command.UNBIND, 1))

    peer.replies = [accept_and_leave]
    receipt = await open_channel(peer.port).submit(message("a" * 400))
    assert (receipt.outcome, receipt.provider_ids) == (Outcome.SENT, ("a", "2", "3"))
    assert [text[5] for text in peer.texts] == [1, 2, 3]
    assert len(peer.binds) == 2
    (goodbye,) = [pdu for pdu in peer.received if pdu.command == Command.UNBIND_RESP]
    assert goodbye.sequence == 1


async def test_what_is_submitted_together_goes_out_together(peer: Peer, open_channel: OpenChannel) -> None:
    channel = open_channel(peer.port, window=20, stand=True)
    await until(lambda: channel._binds.sessions)
    reads = peer.reads
    receipts = await channel.send([message(address=str(380500000000 + n)) for n in range(20)])
    assert {one.outcome for one in receipts} == {Outcome.SENT}
    assert peer.reads == reads + 1


@pytest.mark.parametrize(
    ("status", "outcome", "reason", "counted"),
    [
        (0x58, Outcome.DEFERRED, Reason.DESTINATION_BUSY, False),
        (0x14, Outcome.DEFERRED, Reason.DESTINATION_BUSY, False),
        (0x0B, Outcome.FAILED, Reason.BAD_ADDRESS, True),
        (0x33, Outcome.FAILED, Reason.BAD_ADDRESS, True),
        (0x08, Outcome.DEFERRED, Reason.UNCLASSIFIED, True),
        (0x45, Outcome.DEFERRED, Reason.UNCLASSIFIED, True),
        (0x64, Outcome.DEFERRED, Reason.UNCLASSIFIED, True),
        (0x0A, Outcome.FAILED, Reason.SENDER_REFUSED, True),
        (0x0E, Outcome.DEFERRED, Reason.PROVIDER_LOGIN, False),
        (0x0400, Outcome.FAILED, Reason.DESTINATION_REFUSED, True),
    ],
)
async def test_refusals(
    peer: Peer, open_channel: OpenChannel, status: int, outcome: Outcome, reason: Reason, counted: bool
) -> None:
    peer.replies = [status]
    receipt = await open_channel(peer.port).submit(message())
    assert (receipt.outcome, receipt.reason, receipt.counted, receipt.code) == (
        outcome,
        reason,
        counted,
        status,
    )
    assert (receipt.retry_after is not None) == (status in (0x58, 0x14))


async def test_a_generic_nack_refuses_its_message(peer: Peer, open_channel: OpenChannel) -> None:
    def nack(connection: Connection, pdu: Pdu) -> None:
        connection.write(frame(Command.GENERIC_NACK, pdu.sequence, status=0x03))

    peer.replies = [nack]
    receipt = await open_channel(peer.port).submit(message())
    assert (receipt.outcome, receipt.code) == (Outcome.FAILED, 0x03)


async def test_a_burst_of_throttling_slows_and_loses_nothing(peer: Peer, open_channel: OpenChannel) -> None:
    peer.replies = [0x58] * 7
    channel = open_channel(peer.port, window=50)
    receipts = await channel.send([message(address=str(380500000000 + n)) for n in range(20)])
    throttled = [one for one in receipts if one.outcome is Outcome.DEFERRED]
    assert (len(throttled), sum(one.outcome is Outcome.SENT for one in receipts)) == (7, 13)
    assert channel._outbound._pace.rate < 100


async def test_the_window_is_kept(peer: Peer, open_channel: OpenChannel) -> None:
    held: list[tuple[Connection, Pdu]] = []
    peer.replies = [lambda connection, pdu: held.append((connection, pdu))] * 7
    channel = open_channel(peer.port, window=3)
    futures = [channel.submit(message()) for _ in range(7)]
    await until(lambda: len(held) == 3)
    await asyncio.sleep(0.02)
    assert len(held) == 3
    held[1][0].accept(held[1][1], "out of order")
    await until(lambda: len(held) == 4)
    assert (await futures[1]).provider_id == "out of order"
    answered = 0
    while answered < 7:  # the rest, as it comes
        for connection, pdu in held[answered:]:
            connection.accept(pdu, "x")
            answered += 1
        await asyncio.sleep(0.005)
    assert {one.outcome for one in await asyncio.gather(*futures)} == {Outcome.SENT}


async def test_no_answer_is_uncertain(peer: Peer, open_channel: OpenChannel) -> None:
    peer.replies = [peers.silent]
    times = msgspec.structs.replace(QUICK, answer=0.05, enquire=0.1)
    receipt = await open_channel(peer.port, times=times).submit(message())
    assert (receipt.outcome, receipt.reason) == (Outcome.UNCERTAIN, Reason.ANSWER_LOST)


async def test_a_drop_after_submit_is_uncertain_and_the_next_message_finds_a_session(
    peer: Peer, open_channel: OpenChannel
) -> None:
    peer.replies = [peers.drop]
    channel = open_channel(peer.port)
    assert (await channel.submit(message())).outcome is Outcome.UNCERTAIN
    await until(lambda: channel._binds.sessions)
    assert (await channel.submit(message())).outcome is Outcome.SENT


async def test_garbage_ends_the_session_politely(peer: Peer, open_channel: OpenChannel) -> None:
    peer.replies = [lambda connection, pdu: connection.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")]
    receipt = await open_channel(peer.port).submit(message())
    assert receipt.outcome is Outcome.UNCERTAIN
    assert "no SMPP" in receipt.text
    await until(lambda: any(pdu.command == Command.GENERIC_NACK for pdu in peer.received))


async def test_an_unknown_command_gets_a_generic_nack(peer: Peer, open_channel: OpenChannel) -> None:
    await open_channel(peer.port).submit(message())
    peer.connections[0].write(frame(0x7777, 9))
    answer = await peer.answers.get()
    assert (answer.command, answer.status, answer.sequence) == (Command.GENERIC_NACK, 0x03, 9)


async def test_the_link_is_tested_and_one_missing_answer_ends_it(
    peer: Peer, open_channel: OpenChannel
) -> None:
    times = msgspec.structs.replace(QUICK, enquire=0.05)
    channel = open_channel(peer.port, times=times, stand=True)
    await until(lambda: sum(pdu.command == Command.ENQUIRE_LINK for pdu in peer.received) >= 3)
    assert len(peer.binds) == 1
    peer.link_answered = False
    await until(lambda: len(peer.binds) >= 2)
    assert channel._binds.sessions or channel._binds.trouble is not None


async def test_the_other_sides_enquiries_are_answered(peer: Peer, open_channel: OpenChannel) -> None:
    await open_channel(peer.port).submit(message())
    peer.connections[0].write(frame(Command.ENQUIRE_LINK, 5))
    answer = await peer.answers.get()
    assert (answer.command, answer.sequence) == (Command.ENQUIRE_LINK_RESP, 5)


async def test_sequences_wrap(peer: Peer, open_channel: OpenChannel) -> None:
    channel = open_channel(peer.port)
    await channel.submit(message())
    session = channel._binds.sessions[0]
    assert isinstance(session, Session)
    session._sequence = 0x7FFFFFFE
    await channel.submit(message())
    await channel.submit(message())
    assert peer.sequences[1:] == [0x7FFFFFFF, 1]


@pytest.mark.parametrize("status", [0x0D, 0x0E, 0x0F])
async def test_a_refused_bind_is_not_hammered(peer: Peer, open_channel: OpenChannel, status: int) -> None:
    peer.bind_status = status
    channel = open_channel(peer.port)
    receipt = await channel.submit(message())
    assert (receipt.outcome, receipt.counted) == (Outcome.DEFERRED, False)
    assert receipt.reason in (Reason.PROVIDER_LOGIN, Reason.PROVIDER_REFUSED)
    assert receipt.retry_after is not None
    with pytest.raises(DeliveryError) as refused:
        await channel.check()
    assert refused.value.permanent
    await asyncio.sleep(0.1)
    assert len(peer.binds) == 2  # the channel's and the check's


async def test_no_answer_to_the_bind_is_the_operators_trouble(peer: Peer, open_channel: OpenChannel) -> None:
    peer.bind_silent = True
    times = msgspec.structs.replace(QUICK, bind=0.05)
    receipt = await open_channel(peer.port, times=times).submit(message())
    assert (receipt.outcome, receipt.reason) == (Outcome.DEFERRED, Reason.PROVIDER_UNREACHABLE)


async def test_where_nobody_listens_messages_come_back(open_channel: OpenChannel) -> None:
    receipt = await open_channel(1).submit(message())
    assert (receipt.outcome, receipt.reason, receipt.counted) == (
        Outcome.DEFERRED,
        Reason.PROVIDER_UNREACHABLE,
        False,
    )


async def test_a_pair_of_binds_sends_over_the_transmitter(peer: Peer, open_channel: OpenChannel) -> None:
    channel = open_channel(peer.port, bind=BindMode.PAIR)
    await channel.check()
    assert [pdu.command for pdu in peer.binds] == [Command.BIND_TRANSMITTER, Command.BIND_RECEIVER]
    assert {one.outcome for one in await channel.send([message() for _ in range(5)])} == {Outcome.SENT}
    await until(lambda: len(peer.binds) == 4)
    assert not any(
        session.room for session in channel._binds.sessions if session.command is Command.BIND_RECEIVER
    )


async def test_several_binds_share_the_work(peer: Peer, open_channel: OpenChannel) -> None:
    channel = open_channel(peer.port, binds=3, window=2, stand=True)
    await until(lambda: len(channel._binds.sessions) == 3)
    held: list[Connection] = []
    peer.replies = [lambda connection, pdu: held.append(connection)] * 6
    futures = [channel.submit(message()) for _ in range(6)]
    await until(lambda: len(held) == 6)
    assert {connection: held.count(connection) for connection in held} == dict.fromkeys(peer.connections, 2)
    for connection in peer.connections:
        connection.transport.abort()
    assert {one.outcome for one in await asyncio.gather(*futures)} == {Outcome.UNCERTAIN}


async def test_closing_waits_for_answers_gives_back_the_rest_and_unbinds(
    peer: Peer, open_channel: OpenChannel
) -> None:
    held: list[tuple[Connection, Pdu]] = []
    peer.replies = [lambda connection, pdu: held.append((connection, pdu))]
    channel = open_channel(peer.port, window=1)
    first, second = channel.submit(message()), channel.submit(message())
    await until(lambda: held)
    closing = asyncio.create_task(channel.close())
    assert (await second).reason is Reason.CLOSING
    held[0][0].accept(held[0][1], "late")
    await closing
    assert (await first).provider_id == "late"
    assert peer.received[-1].command == Command.UNBIND
    assert (await channel.submit(message())).reason is Reason.CLOSING


async def test_what_is_unanswered_when_time_is_up_is_uncertain(peer: Peer, open_channel: OpenChannel) -> None:
    peer.replies = [peers.silent]
    channel = open_channel(peer.port)
    future = channel.submit(message())
    await until(lambda: peer.submitted)
    await channel.close(grace=0.05)
    assert (await future).outcome is Outcome.UNCERTAIN


async def test_the_operator_may_unbind(peer: Peer, open_channel: OpenChannel) -> None:
    channel = open_channel(peer.port)
    await channel.submit(message())
    peer.connections[0].write(frame(Command.UNBIND, 3))
    answer = await peer.answers.get()
    assert answer.command == Command.UNBIND_RESP
    await until(lambda: len(peer.binds) == 2)


async def test_nothing_is_begun_without_the_right_or_too_late(peer: Peer, open_channel: OpenChannel) -> None:
    channel = open_channel(peer.port)
    lost = await channel.submit(message(allow_send=lambda: False))
    stale = await channel.submit(message(fresh_until=time.monotonic() - 1))
    assert (lost.reason, stale.reason) == (Reason.LEASE_LOST, Reason.STALE)
    assert not peer.submitted


async def test_ids_are_kept_in_the_form_of_receipts(peer: Peer, open_channel: OpenChannel) -> None:
    peer.replies = [lambda connection, pdu: connection.accept(pdu, "0001E240")]
    channel = open_channel(peer.port, message_ids=MessageIds.HEX_TO_DEC)
    assert (await channel.submit(message())).provider_id == "123456"


async def test_long_texts_may_go_as_a_payload(peer: Peer, open_channel: OpenChannel) -> None:
    receipt = await open_channel(peer.port, concatenation=Concatenation.PAYLOAD).submit(message("я" * 100))
    assert receipt.provider_ids == ("1",)
    (sent,) = peer.submitted
    assert (sent.text, sent.payload) == (b"", ("я" * 100).encode("utf-16-be"))


async def test_answers_nobody_waits_for_are_passed_over(peer: Peer, open_channel: OpenChannel) -> None:
    channel = open_channel(peer.port)
    await channel.submit(message())
    peer.connections[0].write(frame(Command.SUBMIT_SM_RESP, 999, b"x\0") + frame(RESPONSE | 0x77, 5))
    peer.connections[0].write(HEADER.pack(16, Command.ALERT_NOTIFICATION, 0, 4))
    assert (await channel.submit(message())).outcome is Outcome.SENT
    assert len(peer.binds) == 1
