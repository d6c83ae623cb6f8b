"""Every stage against every fault, and the books afterwards: nobody is called sent who was not, nobody is called
unsent who was."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec
import pytest

from perigee.delivery.channel import Advice, Outcome, Outgoing, Reason, Receipt
from perigee.delivery.channels.smtp.channel import SmtpChannel
from perigee.delivery.channels.smtp.pool import Backoff
from perigee.delivery.channels.smtp.settings import Security, Timeouts
from perigee.delivery.channels.smtp.tests.factories import make_outgoing
from perigee.testing.smtp_faults import At, Fault, Rule
from perigee.testing.smtp_fixtures import StartServer, self_signed
from perigee.testing.smtp_server import SmtpServer

OpenChannel = Callable[..., SmtpChannel]
BEFORE_ANY_MESSAGE = {At.GREETING, At.EHLO, At.STARTTLS, At.AUTH}
WAIT = {
    At.GREETING: "greeting",
    At.EHLO: "command",
    At.STARTTLS: "command",
    At.AUTH: "command",
    At.MAIL: "command",
    At.RCPT: "command",
    At.DATA: "data",
    At.BODY: "dot",
    At.DOT: "dot",
}
# A reply that never ends at the start of the body, or a torn one, is no different from a dropped connection there.
CASES = [
    (at, fault, pipelining)
    for at in At
    for fault in Fault
    for pipelining in (True, False)
    if not (at is At.BODY and fault in (Fault.SLOW, Fault.GARBAGE, Fault.TORN, Fault.FLOOD))
]


def check_books(server: SmtpServer, batch: Sequence[Outgoing], receipts: Sequence[Receipt]) -> None:
    by = {
        outcome: {o.address for o, r in zip(batch, receipts, strict=True) if r.outcome is outcome}
        for outcome in Outcome
    }
    accepted = server.recipients
    assert len(accepted) == len(set(accepted)), "somebody got it twice"
    assert by[Outcome.SENT] <= set(accepted)
    assert not set(accepted) & (by[Outcome.FAILED] | by[Outcome.DEFERRED])
    assert set(accepted) - by[Outcome.SENT] <= by[Outcome.UNCERTAIN]
    unanswered = {message.recipient for message in server.accepted if not message.answered}
    assert unanswered <= by[Outcome.UNCERTAIN]


def expected(at: At, fault: Fault) -> Outcome:
    if fault is Fault.SLOW:
        return Outcome.SENT
    if at in BEFORE_ANY_MESSAGE:
        return Outcome.DEFERRED
    if fault in (Fault.TEMPORARY, Fault.CLOSING):
        return Outcome.DEFERRED
    if fault is Fault.PERMANENT:
        return Outcome.FAILED
    return Outcome.UNCERTAIN if at in (At.BODY, At.DOT) else Outcome.DEFERRED


@pytest.mark.parametrize(("at", "fault", "pipelining"), CASES)
async def test_one_fault(
    start_smtp_server: StartServer,
    open_channel: OpenChannel,
    tmp_path_factory: pytest.TempPathFactory,
    at: At,
    fault: Fault,
    pipelining: bool,
) -> None:
    tls, context = self_signed(tmp_path_factory.mktemp("tls")) if at is At.STARTTLS else (None, None)
    server = await start_smtp_server(
        tls=tls,
        users={"shop": "secret"} if at is At.AUTH else None,
        extensions=("PIPELINING",) if pipelining else (),
        faults=[Rule(at, fault)],
    )
    timeouts = msgspec.structs.replace(Timeouts(), **{WAIT[at]: 0.05}) if fault is Fault.HANG else None
    channel = open_channel(
        server,
        timeouts=timeouts,
        context=context,
        host="localhost" if tls else "127.0.0.1",
        security=Security.STARTTLS if tls else Security.NONE,
        username="shop" if at is At.AUTH else "",
        password="secret",
    )
    outgoing = make_outgoing()
    receipt = await channel.submit(outgoing)
    assert receipt.outcome is expected(at, fault), receipt
    check_books(server, [outgoing], [receipt])
    if at in BEFORE_ANY_MESSAGE and fault is not Fault.SLOW:
        assert receipt.advice is Advice.PAUSE_PROVIDER
        assert not receipt.counted
        assert receipt.retry_after
    elif receipt.outcome is Outcome.DEFERRED and fault is not Fault.TEMPORARY:
        assert not receipt.counted, "nobody's fault"
    if receipt.outcome is Outcome.UNCERTAIN:
        assert receipt.reason is Reason.ANSWER_LOST


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("seed", range(12))
async def test_random_scripts(
    start_smtp_server: StartServer, open_channel: OpenChannel, seed: int, pipelining: bool
) -> None:
    rules = [
        Rule(at, fault, rate=0.02)
        for at in (At.GREETING, At.EHLO, At.MAIL, At.RCPT, At.DATA, At.BODY, At.DOT)
        for fault in Fault
        if fault not in (Fault.HANG, Fault.SLOW)
    ]
    server = await start_smtp_server(
        faults=rules, seed=seed, close_every=7, extensions=("PIPELINING",) if pipelining else ()
    )
    channel = open_channel(server, connections=3, backoff=Backoff(first=0.0, permanent=0.0))
    batch = [make_outgoing(number, send_id=number % 3) for number in range(60)]
    receipts = await channel.send(batch)
    check_books(server, batch, receipts)
    assert any(receipt.outcome is Outcome.SENT for receipt in receipts)


async def test_a_server_that_ends_sessions_costs_nobody_anything(
    start_smtp_server: StartServer, open_channel: OpenChannel
) -> None:
    server = await start_smtp_server(close_every=5)
    receipts = await open_channel(server, connections=2).send([make_outgoing(number) for number in range(50)])
    assert {receipt.outcome for receipt in receipts} == {Outcome.SENT}
    assert server.connections >= 10


async def test_what_rode_behind_a_lost_dot_is_sent_elsewhere(
    start_smtp_server: StartServer, open_channel: OpenChannel
) -> None:
    server = await start_smtp_server(faults=[Rule(At.DOT, Fault.DROP, only=frozenset({2}))])
    batch = [make_outgoing(number) for number in range(5)]
    receipts = await open_channel(server, connections=1).send(batch)
    assert [receipt.outcome for receipt in receipts] == ["sent", "uncertain", "sent", "sent", "sent"]
    check_books(server, batch, receipts)
