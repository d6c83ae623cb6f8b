"""One client of the recording SMTP server: commands in, answers or faults out."""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from perigee.testing.smtp_faults import REFUSALS, At, Fault

if TYPE_CHECKING:
    from perigee.testing.smtp_server import SmtpServer

_PATH = re.compile(r"(?:FROM|TO):<([^<>\s]*)>(.*)", re.IGNORECASE)


class Connection(asyncio.Protocol):
    """One client. Input is parsed only while no answer is owed, so answers come in order even when they are late."""

    def __init__(self, server: SmtpServer) -> None:
        self.server = server
        self.number = 0
        self.transport: asyncio.Transport
        self._buffer = bytearray()
        self._blocked = False
        self._secure = server.implicit_tls
        self._signed_in = False
        self._messages = 0
        self._login: Callable[[str], None] | None = None
        self._in_data = False
        self._body_due = False
        self._utf8 = False
        self._afterwards: Callable[[], None] | None = None
        self._upgrade: asyncio.Task[None] | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._clear()

    def _clear(self) -> None:
        self._sender: str | None = None
        self._recipients: list[str] = []

    # --- transport ---------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.server.connections += 1
        self.number = self.server.connections
        self.server.open.add(self)
        self._step(At.GREETING, lambda _: "220 test ESMTP")

    def connection_lost(self, error: Exception | None) -> None:
        self.server.open.discard(self)
        self.ended.set_result(None)

    def eof_received(self) -> None:
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._parse()

    def _parse(self) -> None:
        while self._buffer and not self._blocked and not self.transport.is_closing():
            if self._in_data:
                if self._body_due and len(self._buffer) > 2 and self._body_fault():
                    return
                end = self._buffer.find(b"\r\n.\r\n")
                if end < 0:
                    return
                body = bytes(self._buffer[2 : end + 2])
                del self._buffer[: end + 5]
                self._in_data = False
                self._message(body)
            else:
                end = self._buffer.find(b"\n")
                if end < 0:
                    return
                line = bytes(self._buffer[: end + 1])
                del self._buffer[: end + 1]
                self._line(line)

    # --- answering ---------------------------------------------------------------------------------------------

    def _say(self, answer: str) -> None:
        if not self.transport.is_closing():
            self.transport.write(answer.encode() + b"\r\n")

    def _step(self, at: At, act: Callable[[bool], str], recipients: Sequence[str] = ()) -> None:
        """Answer at a stage, or do what the script says. `act` makes the step happen and gives the right answer;
        it is told whether that answer will be read."""
        fault = self.server.script.decide(at, recipients or self._recipients)
        if fault in REFUSALS:
            self._say(REFUSALS[fault])
            if fault is Fault.CLOSING or at is At.GREETING:
                self.transport.close()
            return
        if fault is None or fault is Fault.SLOW:
            self._answer(act(True), self.server.delay or (0.05 if fault else 0.0))
            return
        answer = act(False)
        self._blocked = True
        if fault is Fault.GARBAGE:
            self._say("\x00\xff<html>not a reply")
        elif fault is Fault.FLOOD:
            self.transport.write(f"{answer[:3]}-and more\r\n".encode() * 10_000)
        elif fault is Fault.TORN:
            self.transport.write(answer.encode()[: len(answer) // 2])
        if fault in (Fault.DROP, Fault.TORN):
            self.transport.close()

    def _answer(self, answer: str, delay: float) -> None:
        if not delay:
            return self._answer_now(answer)
        self._blocked = True
        asyncio.get_running_loop().call_later(delay, self._answer_late, answer)
        return None

    def _answer_late(self, answer: str) -> None:
        self._blocked = False
        self._answer_now(answer)
        self._parse()

    def _answer_now(self, answer: str) -> None:
        self._say(answer)
        if self._afterwards is not None:
            afterwards, self._afterwards = self._afterwards, None
            afterwards()

    # --- commands ----------------------------------------------------------------------------------------------

    def _line(self, raw: bytes) -> None:
        line = raw.decode("utf-8", "surrogateescape").rstrip("\r\n")
        if not raw.endswith(b"\r\n"):
            self.server.violations.append(f"bare LF after {line!r}")
        if self._login is not None:
            handler, self._login = self._login, None
            handler(line)
            return
        self.server.commands.append(line)
        verb, _, rest = line.partition(" ")
        if self._buffer and "PIPELINING" not in self.server.extensions:
            self.server.violations.append(f"pipelined behind {line!r}")
        method = getattr(self, f"_do_{verb.lower()}", None)
        if method is None:
            self.server.violations.append(f"unknown command {line!r}")
            self._say("500 5.5.2 what?")
        else:
            method(rest)

    def _wrong(self, answer: str, why: str) -> None:
        self.server.violations.append(why)
        self._say(answer)

    def _do_ehlo(self, name: str) -> None:
        def act(_: bool) -> str:
            self._clear()
            words = ["test", *sorted(self.server.extensions)]
            if self.server.max_size is not None:
                words.append(f"SIZE {self.server.max_size}")
            if self.server.tls is not None and not self._secure:
                words.append("STARTTLS")
            if self.server.users is not None:
                words.append(f"AUTH {self.server.mechanisms}")
            return "\r\n".join([*(f"250-{word}" for word in words[:-1]), f"250 {words[-1]}"])

        self._step(At.EHLO, act)

    def _do_helo(self, name: str) -> None:
        self._step(At.EHLO, lambda _: "250 test")

    def _do_starttls(self, rest: str) -> None:
        if self.server.tls is None or self._secure:
            return self._wrong("503 5.5.1 no", "STARTTLS was not offered")
        if self._buffer:
            self.server.violations.append("input behind STARTTLS")

        def act(answered: bool) -> str:
            if answered:
                self._afterwards = self._begin_tls
            return "220 2.0.0 go on" + (
                "\r\n" + self.server.injected.decode() if self.server.injected else ""
            )

        self._step(At.STARTTLS, act)
        return None

    def _begin_tls(self) -> None:
        self._blocked = True
        self._upgrade = asyncio.get_running_loop().create_task(self._encrypt())

    async def _encrypt(self) -> None:
        context = cast("ssl.SSLContext", self.server.tls)
        try:
            secured = await asyncio.get_running_loop().start_tls(
                self.transport, self, context, server_side=True
            )
        except (OSError, ssl.SSLError):
            self.transport.abort()
            return
        self.transport = cast("asyncio.Transport", secured)
        self._secure, self._blocked = True, False
        self._clear()
        self._parse()

    def _do_auth(self, rest: str) -> None:
        mechanism, _, initial = rest.partition(" ")
        if self.server.users is None or mechanism not in self.server.mechanisms.split():
            self._wrong("504 5.5.4 no", f"AUTH {mechanism} was not offered")
        elif mechanism == "PLAIN":
            _, user, password = base64.b64decode(initial).decode().split("\0")
            self._check(user, password)
        else:
            self._login = self._take_user
            self._say("334 VXNlcm5hbWU6")

    def _take_user(self, line: str) -> None:
        user = base64.b64decode(line).decode()
        self._login = lambda secret: self._check(user, base64.b64decode(secret).decode())
        self._say("334 UGFzc3dvcmQ6")

    def _check(self, user: str, password: str) -> None:
        if (self.server.users or {}).get(user) != password:
            self._say("535 5.7.8 wrong user or password")
            return

        def act(_: bool) -> str:
            self._signed_in = True
            return "235 2.7.0 welcome"

        self._step(At.AUTH, act)

    def _do_mail(self, rest: str) -> None:
        if self.server.users is not None and not self._signed_in:
            return self._say("530 5.7.0 sign in first")
        if self._sender is not None:
            return self._wrong("503 5.5.1 nested MAIL", "MAIL inside a transaction")
        if self.server.close_every and self._messages >= self.server.close_every:
            self._say("421 4.7.0 enough for one session")
            return self.transport.close()
        match = _PATH.fullmatch(rest)
        if match is None:
            return self._wrong("501 5.1.7 bad sender", f"malformed MAIL {rest!r}")
        sender, parameters = match[1], match[2].split()
        if problem := self._parameter_problem(parameters, sender):
            return self._wrong("555 5.5.4 no such parameter", problem)
        self._utf8 = "SMTPUTF8" in map(str.upper, parameters)

        def act(_: bool) -> str:
            self._sender = sender
            return "250 2.1.0 Ok"

        return self._step(At.MAIL, act)

    def _parameter_problem(self, parameters: list[str], sender: str) -> str | None:
        for parameter in parameters:
            name, _, value = parameter.upper().partition("=")
            needed = {"BODY": "8BITMIME", "SMTPUTF8": "SMTPUTF8"}.get(name)
            offered = (
                needed in self.server.extensions
                if needed
                else name == "SIZE" and self.server.max_size is not None
            )
            if not offered or (name == "SIZE" and not value.isdigit()):
                return f"parameter {parameter!r} was not offered"
        if not sender.isascii() and "SMTPUTF8" not in map(str.upper, parameters):
            return "international sender without SMTPUTF8"
        return None

    def _do_rcpt(self, rest: str) -> None:
        match = _PATH.fullmatch(rest)
        if self._sender is None:
            return self._say("503 5.5.1 no sender")
        if match is None or not match[1] or not (match[1].isascii() or self._utf8):
            return self._wrong("501 5.1.3 bad recipient", f"malformed RCPT {rest!r}")
        address = match[1]
        for pattern, answer in self.server.answers.items():
            if re.search(pattern, address):
                return self._say(answer)

        def act(_: bool) -> str:
            self._recipients.append(address)
            return "250 2.1.5 Ok"

        return self._step(At.RCPT, act, [address])

    def _do_data(self, rest: str) -> None:
        if not self._recipients and not self.server.eager_data:
            self._say("554 5.5.1 no valid recipients")
            return

        def act(answered: bool) -> str:
            if answered:
                self._in_data = self._body_due = True
                self._buffer[:0] = b"\r\n"  # so that a lone dot is found like any other
            return "354 go on"

        self._step(At.DATA, act)

    def _body_fault(self) -> bool:
        self._body_due = False
        fault = self.server.script.decide(At.BODY, self._recipients)
        if fault is None:
            return False
        self._blocked = True
        self._buffer.clear()
        if fault in REFUSALS:
            self._say(REFUSALS[fault])
        if fault is not Fault.HANG:
            self.transport.close()
        return True

    def _message(self, stuffed: bytes) -> None:
        lines = stuffed.split(b"\r\n")
        if any(b"\r" in line or b"\n" in line for line in lines):
            self.server.violations.append("bare CR or LF in a message")
        if not stuffed.isascii() and "8BITMIME" not in self.server.extensions:
            self.server.violations.append("8-bit message")
        body = b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)
        if not self._recipients:
            if stuffed:
                self.server.violations.append("a message for nobody")
            self._clear()
            return self._say("554 5.5.1 no valid recipients")
        self._messages += 1

        def act(answered: bool) -> str:
            for recipient in self._recipients:
                self.server.accept(self.number, self._sender or "", recipient, body, answered)
            return f"250 2.0.0 Ok: queued as {self.number}-{self._messages}"

        self._step(At.DOT, act)
        return self._clear()

    def _do_rset(self, rest: str) -> None:
        self._clear()
        self._say("250 2.0.0 Ok")

    def _do_quit(self, rest: str) -> None:
        self._say("221 2.0.0 bye")
        self.transport.close()
