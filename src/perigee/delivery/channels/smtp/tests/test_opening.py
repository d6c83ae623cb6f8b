"""Connecting, encryption, sign-in; all trouble here is the provider's."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

import pytest

from perigee.delivery.channel import DeliveryError, Outcome, Reason
from perigee.delivery.channels.smtp.channel import SmtpChannel
from perigee.delivery.channels.smtp.settings import Security
from perigee.delivery.channels.smtp.tests.factories import make_outgoing
from perigee.testing.smtp_fixtures import StartServer, self_signed
from perigee.testing.smtp_server import SmtpServer

OpenChannel = Callable[..., SmtpChannel]
Contexts = tuple[ssl.SSLContext, ssl.SSLContext]


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> Contexts:
    return self_signed(tmp_path_factory.mktemp("tls"))


async def refused(channel: SmtpChannel) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await channel.check()
    return caught.value


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_encrypted_sessions_carry_messages_of_all_sizes(
    start_smtp_server: StartServer, open_channel: OpenChannel, contexts: Contexts, security: Security
) -> None:
    server = await start_smtp_server(tls=contexts[0], implicit_tls=security is Security.TLS)
    channel = open_channel(server, host="localhost", security=security, context=contexts[1], connections=2)
    large = b"x" * 70 + b"\r\n"
    batch = [make_outgoing(number, payload=large * (1 if number % 2 else 30_000)) for number in range(10)]
    receipts = await channel.send(batch)
    assert {receipt.outcome for receipt in receipts} == {Outcome.SENT}
    assert sorted(len(message.body or b"") for message in server.accepted) == [72] * 5 + [72 * 30_000] * 5
    if security is Security.STARTTLS:
        assert server.commands.count("STARTTLS") == 2
        assert server.commands.count("EHLO test") == 4


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_an_unknown_certificate_is_refused_unless_that_is_allowed(
    start_smtp_server: StartServer, open_channel: OpenChannel, contexts: Contexts, security: Security
) -> None:
    server = await start_smtp_server(tls=contexts[0], implicit_tls=security is Security.TLS)
    error = await refused(open_channel(server, host="localhost", security=security))
    assert error.permanent
    assert error.reason is Reason.PROVIDER_TLS
    assert "certificate" in error.message
    await open_channel(server, host="localhost", security=security, verify=False).check()


async def test_the_certificate_must_name_the_host(
    start_smtp_server: StartServer, open_channel: OpenChannel, contexts: Contexts
) -> None:
    server = await start_smtp_server(tls=contexts[0])
    error = await refused(
        open_channel(server, host="127.0.0.1", security=Security.STARTTLS, context=contexts[1])
    )
    assert error.permanent
    assert error.reason is Reason.PROVIDER_TLS


async def test_no_encryption_no_session(smtp_server: SmtpServer, open_channel: OpenChannel) -> None:
    channel = open_channel(smtp_server, security=Security.STARTTLS, username="shop", password="secret")
    error = await refused(channel)
    assert error.permanent
    assert error.reason is Reason.PROVIDER_TLS
    assert not any(command.startswith("AUTH") for command in smtp_server.commands)


async def test_answers_slipped_in_before_encryption_end_the_session(
    start_smtp_server: StartServer, open_channel: OpenChannel, contexts: Contexts
) -> None:
    server = await start_smtp_server(tls=contexts[0], injected=b"250-evil\r\n250 AUTH PLAIN")
    error = await refused(
        open_channel(server, host="localhost", security=Security.STARTTLS, context=contexts[1])
    )
    assert error.reason is Reason.PROVIDER_TLS
    assert server.accepted == []


@pytest.mark.parametrize("mechanisms", ["PLAIN LOGIN", "LOGIN", "CRAM-MD5 PLAIN"])
async def test_signing_in(start_smtp_server: StartServer, open_channel: OpenChannel, mechanisms: str) -> None:
    server = await start_smtp_server(users={"shop": "пароль"}, mechanisms=mechanisms)
    channel = open_channel(server, username="shop", password="пароль")
    assert (await channel.submit(make_outgoing())).outcome is Outcome.SENT


async def test_a_wrong_password_is_the_providers_trouble_and_is_not_repeated(
    start_smtp_server: StartServer, open_channel: OpenChannel
) -> None:
    server = await start_smtp_server(users={"shop": "secret"})
    channel = open_channel(server, username="shop", password="wrong", connections=1)
    receipts = await channel.send([make_outgoing(number) for number in range(20)])
    assert {(receipt.outcome, receipt.reason, receipt.counted) for receipt in receipts} == {
        (Outcome.DEFERRED, Reason.PROVIDER_LOGIN, False)
    }
    assert all(receipt.retry_after and receipt.retry_after > 200 for receipt in receipts)
    assert server.connections == 1
    assert channel.pool.trouble is not None
    assert channel.pool.trouble.permanent
    assert "wrong" not in channel.pool.trouble.message.replace("wrong user or password", "")


async def test_a_server_without_a_known_sign_in(
    start_smtp_server: StartServer, open_channel: OpenChannel
) -> None:
    server = await start_smtp_server(users={"shop": "secret"}, mechanisms="CRAM-MD5")
    error = await refused(open_channel(server, username="shop", password="secret"))
    assert (error.permanent, error.reason) == (True, Reason.PROVIDER_LOGIN)


async def test_the_password_does_not_leave_the_machine_in_plain_text(
    smtp_server: SmtpServer, open_channel: OpenChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    from perigee.delivery.channels.smtp import opening

    monkeypatch.setattr(opening, "_is_loopback", lambda transport: False)
    error = await refused(open_channel(smtp_server, username="shop", password="secret"))
    assert (error.permanent, error.reason) == (True, Reason.PROVIDER_LOGIN)
    assert len(smtp_server.commands) == 1


async def test_nobody_listens(open_channel: OpenChannel, smtp_server: SmtpServer) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        error = await refused(open_channel(smtp_server, port=free.getsockname()[1]))
    assert (error.permanent, error.reason) == (False, Reason.PROVIDER_UNREACHABLE)


async def test_our_name_is_an_address_when_the_machine_has_none(
    smtp_server: SmtpServer, open_channel: OpenChannel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "laptop")
    await open_channel(smtp_server, helo="").check()
    monkeypatch.setattr(socket, "gethostname", lambda: "mail.example.com")
    await open_channel(smtp_server, helo="").check()
    assert [command for command in smtp_server.commands if command.startswith("EHLO")] == [
        "EHLO [127.0.0.1]",
        "EHLO mail.example.com",
    ]
