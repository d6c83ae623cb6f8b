"""The recording server against a client that is not ours, and as a process of its own."""

from __future__ import annotations

import asyncio
import ssl
import sys
from pathlib import Path

import aiosmtplib
import pytest

from perigee.testing.smtp_faults import At, Fault, Rule, Script
from perigee.testing.smtp_fixtures import self_signed, start_smtp_server
from perigee.testing.smtp_server import SmtpServer, read_record

__all__ = ["start_smtp_server"]
MESSAGE = b"Message-ID: <1@example.com>\r\nSubject: x\r\n\r\n.dot\r\n..\r\nend\r\n"


async def test_a_foreign_client_signs_in_over_tls_and_sends(tmp_path: Path) -> None:
    tls, context = self_signed(tmp_path)
    server = await SmtpServer(tls=tls, users={"shop": "secret"}, max_size=1000).start()
    client = aiosmtplib.SMTP(hostname="localhost", port=server.port, start_tls=True, tls_context=context)
    async with client:
        await client.login("shop", "secret")
        await client.sendmail("a@example.com", ["b@example.net", "c@example.net"], MESSAGE)
    assert [(m.recipient, m.message_id, m.answered, m.body) for m in server.accepted] == [
        (recipient, "<1@example.com>", True, MESSAGE) for recipient in ("b@example.net", "c@example.net")
    ]
    await server.stop()
    assert server.violations == []


async def test_what_a_client_may_not_do_is_noticed() -> None:
    server = await SmtpServer(extensions=()).start()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"EHLO x\r\nMAIL FROM:<a@b> BODY=8BITMIME\r\nNONSENSE\nQUIT\r\n")
    answers = (await reader.read()).decode()
    writer.close()
    await server.stop()
    assert [line[:3] for line in answers.splitlines()] == ["220", "250", "555", "500", "221"]
    assert any("pipelined" in violation for violation in server.violations)
    assert any("BODY" in violation for violation in server.violations)
    assert any("bare LF" in violation for violation in server.violations)


def test_a_script_repeats_itself_by_its_seed() -> None:
    def run(seed: int) -> list[Fault | None]:
        script = Script([Rule.parse("dot:drop:0.3"), Rule.parse("dot:temporary:0.2")], seed)
        return [script.decide(At.DOT) for _ in range(100)]

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert set(run(1)) == {None, Fault.DROP, Fault.TEMPORARY}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("dot:drop", Rule(At.DOT, Fault.DROP)),
        ("dot:drop:0.01", Rule(At.DOT, Fault.DROP, rate=0.01)),
        ("mail:closing:#3,7-9", Rule(At.MAIL, Fault.CLOSING, only=frozenset({3, 7, 8, 9}))),
        ("rcpt:permanent:@bad", Rule(At.RCPT, Fault.PERMANENT, recipient="@bad")),
    ],
)
def test_rules_are_read_from_the_command_line(text: str, rule: Rule) -> None:
    assert Rule.parse(text) == rule


async def test_a_server_process_writes_its_record_before_it_answers(tmp_path: Path) -> None:
    record = tmp_path / "record"
    arguments = ["-m", "perigee.testing.smtp_server", "--record", str(record), "--fault", "dot:drop:#3"]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    port = int((await process.stdout.readline()).split()[1])
    try:
        for number in range(1, 5):
            client = aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False)
            await client.connect()
            if number == 3:
                with pytest.raises(aiosmtplib.SMTPServerDisconnected):
                    await client.sendmail("a@example.com", [f"b{number}@example.net"], MESSAGE)
            else:
                await client.sendmail("a@example.com", [f"b{number}@example.net"], MESSAGE)
                client.close()
            # The answer is out, so the line must be there.
            assert len(read_record(record)) == number
    finally:
        process.terminate()
        assert await process.wait() == 0
    assert [m.answered for m in read_record(record)] == [True, True, False, True]


def test_the_client_context_trusts_only_its_server(tmp_path: Path) -> None:
    _, context = self_signed(tmp_path)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
