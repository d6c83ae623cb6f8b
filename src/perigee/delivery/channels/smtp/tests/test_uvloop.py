"""The loop we run on in production is not the one the other tests run on: the parts where they differ."""

from __future__ import annotations

from pathlib import Path

import uvloop

from perigee.delivery.channel import Outcome, Receipt
from perigee.delivery.channels.smtp.channel import SmtpChannel
from perigee.delivery.channels.smtp.pool import Backoff
from perigee.delivery.channels.smtp.settings import Security, SmtpSettings
from perigee.delivery.channels.smtp.tests.factories import make_outgoing
from perigee.delivery.channels.smtp.tests.test_faults import check_books
from perigee.testing.smtp_faults import At, Fault, Rule
from perigee.testing.smtp_fixtures import self_signed
from perigee.testing.smtp_server import SmtpServer


def test_encryption_large_messages_and_faults(tmp_path: Path) -> None:
    async def scenario() -> list[Receipt]:
        tls, context = self_signed(tmp_path)
        faults = [Rule(At.DOT, Fault.DROP, rate=0.05), Rule(At.RCPT, Fault.PERMANENT, rate=0.05)]
        server = await SmtpServer(tls=tls, faults=faults, seed=3, close_every=9).start()
        settings = SmtpSettings("localhost", server.port, Security.STARTTLS, helo="test", connections=3)
        channel = SmtpChannel(settings, context=context, backoff=Backoff(first=0.0))
        large = b"0123456789\r\n" * 20_000
        batch = [make_outgoing(n, **({"payload": large} if n % 10 == 0 else {})) for n in range(80)]
        receipts = await channel.send(batch)
        check_books(server, batch, receipts)
        await channel.close()
        await server.stop()
        assert server.violations == []
        return receipts

    outcomes = [receipt.outcome for receipt in uvloop.run(scenario())]
    assert {Outcome.SENT, Outcome.FAILED, Outcome.UNCERTAIN} <= set(outcomes)
