"""One SMTP session as a state machine over callbacks: no task and no await for a message.

With PIPELINING (RFC 2920) MAIL, RCPT and DATA go in one write, and while the server is quick the next message's
envelope goes in the same write as the final dot before it. Answers come back in order, so `_expected` pairs each
one with the step and the message it belongs to.

The account that everything else rests on: a message is `dotted` from the moment its final dot is given to the
transport. Whatever breaks before that, the message was not sent and nobody is to blame; whatever breaks after
it and before its answer is read, the message is uncertain. `allow_send` is asked in the same step of the loop
that writes the dot.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from perigee.delivery.channel import Outcome, Reason, Receipt
from perigee.delivery.channels.smtp.envelope import envelope
from perigee.delivery.channels.smtp.queue import Job, Owner
from perigee.delivery.channels.smtp.replies import Stage, classify, sent
from perigee.delivery.channels.smtp.settings import Timeouts
from perigee.delivery.channels.smtp.wire import Extensions, Reply, ReplyReader, to_wire

# Up to this size body and dot are one write: any socket buffer takes it whole, so the dot leaves now or never.
WHOLE = 16 * 1024
# A server slower than this gets its next envelope only after its answer, so that no message waits behind another.
QUICK = 0.25
_DRAIN_POLL = 0.01
_DOT: Final = b".\r\n"

# Steps, as indexes: what an expected answer answers.
MAIL, RCPT, DATA, DOT, LONE, RSET, QUIT = range(7)


class _Transaction:
    __slots__ = ("ahead", "dotted", "dotted_at", "job", "rcpt", "refusal", "stage")

    def __init__(self, job: Job, rcpt: bytes, ahead: bool) -> None:
        self.job = job
        self.rcpt = rcpt
        self.ahead = ahead
        self.dotted = False
        self.dotted_at = 0.0
        self.stage = Stage.MAIL
        self.refusal: Reply | None = None

    def refuse(self, stage: Stage, reply: Reply) -> None:
        """The first refusal of a transaction is the one that counts; the rest follows from it."""
        if self.refusal is None:
            self.stage, self.refusal = stage, reply


class Session(asyncio.Protocol):
    """A signed-in connection (`opening.open_session` makes it) that takes messages from its owner until spent."""

    def __init__(
        self,
        owner: Owner,
        extensions: Extensions,
        timeouts: Timeouts,
        *,
        max_messages: int = 1000,
        max_seconds: float = 300,
        idle_seconds: float = 30,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.served = 0  # messages that got an answer
        self.extensions = extensions
        self._owner = owner
        self._clock = clock
        self._max_messages = max_messages
        self._expires = clock() + max_seconds
        self._idle_seconds = idle_seconds
        self._block_seconds = timeouts.block
        command = timeouts.command
        self._seconds = (command, command, timeouts.data, timeouts.dot, timeouts.dot, command, timeouts.quit)
        self._tick_seconds = min(5.0, idle_seconds, timeouts.block, *self._seconds)
        self._reader = ReplyReader()
        self._expected: deque[tuple[int, _Transaction | None]] = deque()
        self._open: deque[_Transaction] = deque()
        self._begun = 0
        self._quick = True
        self._retiring = False
        self._over = False
        self._late = False
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def attach(self, transport: asyncio.Transport, socket: asyncio.Transport) -> None:
        """Take over an opened connection. `socket` is the transport under TLS, or `transport` itself."""
        self._transport = transport
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        transport.set_protocol(self)
        self._rearm()
        self._timer = self._loop.call_later(self._tick_seconds, self._tick)

    # --- what the pool calls -----------------------------------------------------------------------------------

    def wake(self) -> None:
        """Only on an idle session: look for work."""
        if not (self._over or self._retiring):
            self._advance()
            self._rearm()

    def retire(self) -> None:
        """Finish the message in hand, say QUIT, go."""
        if self._retiring or self._over:
            return
        self._retiring = True
        if not self._open:
            self._quit()
            self._rearm()

    def abort(self, text: str) -> None:
        """Break the connection now; messages whose dot is out become uncertain."""
        self._end(text)

    # --- what the transport calls ------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        replies = self._reader.feed(data)
        for reply in replies:
            if not self._expected:
                return self._end(
                    None if reply.code == 421 and not self._open else f"unexpected answer: {reply}"
                )
            step, transaction = self._expected.popleft()
            if reply.code == 421:
                self._retiring = True
            if transaction is None:
                _AFTER[step](self, reply)
            else:
                _DURING[step](self, transaction, reply)
            if self._over:
                return None
            if reply.code == 421:
                return self._end(f"the server ended the session: {reply}")
        if self._reader.broken:
            return self._end(self._reader.broken)
        if replies:  # parts of an answer win no time
            self._rearm()
        return None

    def eof_received(self) -> None:
        self._end(self._lost_text())

    def connection_lost(self, error: Exception | None) -> None:
        self._end(self._lost_text(error))

    def _lost_text(self, error: Exception | None = None) -> str | None:
        """A server may close an idle session whenever it likes; that is no trouble."""
        if not self._open:
            return None
        return f"connection lost: {error}" if error else "the server closed the connection"

    # --- beginning a message -----------------------------------------------------------------------------------

    def _advance(self) -> None:
        """At a clean boundary: the next message, or QUIT, or rest."""
        if self._retiring or self._spent():
            self._quit()
        elif commands := self._begin(ahead=False):
            self._transport.write(commands)
        else:
            self._owner.idle(self)

    def _spent(self) -> bool:
        return self._begun >= self._max_messages or self._clock() >= self._expires

    def _begin(self, *, ahead: bool) -> bytes:
        """Take the next message this session can carry; its commands, b'' when there is none."""
        while (job := self._owner.take(self)) is not None:
            outgoing = job.outgoing
            if self._clock() > outgoing.fresh_until:
                job.resolve(_STALE)
            elif outgoing.allow_send is not None and not outgoing.allow_send():
                job.resolve(_LEASE_LOST)
            elif isinstance(made := envelope(outgoing, self.extensions), Receipt):
                job.resolve(made)
            else:
                self._begun += 1
                transaction = _Transaction(job, made.rcpt, ahead)
                self._open.append(transaction)
                self._expected.append((MAIL, transaction))
                if not self.extensions.pipelining:
                    return made.mail
                self._expected.append((RCPT, transaction))
                self._expected.append((DATA, transaction))
                return made.mail + made.rcpt + b"DATA\r\n"
        return b""

    def _on_mail(self, transaction: _Transaction, reply: Reply) -> None:
        if not reply.ok:
            transaction.refuse(Stage.MAIL, reply)
        if self.extensions.pipelining:
            return
        if reply.ok:
            self._expected.append((RCPT, transaction))
            self._transport.write(transaction.rcpt)
        else:
            self._abandon(transaction)

    def _on_rcpt(self, transaction: _Transaction, reply: Reply) -> None:
        if not reply.ok:
            transaction.refuse(Stage.RCPT, reply)
        if self.extensions.pipelining:
            return
        if reply.ok:
            self._expected.append((DATA, transaction))
            self._transport.write(b"DATA\r\n")
        else:
            self._abandon(transaction)

    def _on_data(self, transaction: _Transaction, reply: Reply) -> None:
        if reply.code != 354:
            transaction.refuse(Stage.DATA, reply)
            self._abandon(transaction)
        elif transaction.refusal is not None:
            # The server wants a message for nobody: an empty one, whose answer counts for nothing.
            self._expected.append((LONE, None))
            self._transport.write(_DOT)
            self._abandon(transaction)
        else:
            self._send_body(transaction)

    # --- the message itself ------------------------------------------------------------------------------------

    def _send_body(self, transaction: _Transaction) -> None:
        body = to_wire(transaction.job.outgoing.payload)
        self._expected.append((DOT, transaction))
        if len(body) <= WHOLE:
            self._send_dot(transaction, body)
        else:
            self._transport.write(body)
            self._drain(transaction)

    def _drain(self, transaction: _Transaction) -> None:
        """The dot of a large message waits until its body has left the process, so that none leaves later than
        `allow_send` was asked."""
        if self._over:
            return
        if self._socket.get_write_buffer_size() or self._transport.get_write_buffer_size():
            self._loop.call_later(_DRAIN_POLL, self._drain, transaction)
            return
        self._send_dot(transaction, b"")
        if not self._over:
            self._rearm()

    def _send_dot(self, transaction: _Transaction, body: bytes) -> None:
        outgoing = transaction.job.outgoing
        if outgoing.allow_send is not None and not outgoing.allow_send():
            return self._withhold(transaction, _LEASE_LOST)
        now = self._clock()
        if transaction.ahead and now > outgoing.fresh_until:
            return self._withhold(transaction, _STALE)
        transaction.dotted = True
        transaction.dotted_at = now
        ahead = self.extensions.pipelining and self._quick and not self._retiring and not self._spent()
        self._transport.write(body + _DOT + (self._begin(ahead=True) if ahead else b""))
        return None

    def _withhold(self, transaction: _Transaction, receipt: Receipt) -> None:
        """Closing before the dot is the only way to take a message back once DATA is granted."""
        self._open.remove(transaction)
        transaction.job.resolve(receipt)
        self._end(None)

    def _on_dot(self, transaction: _Transaction, reply: Reply) -> None:
        if reply.code < 400 and not (reply.ok and transaction.dotted):
            return self._end(f"unreadable answer to the message: {reply}")
        if not transaction.dotted:
            # Refused while the body was still on its way; the rest of it cannot be called back.
            self._settle(transaction, classify(Stage.DOT, reply))
            return self._end("the server refused the message before its end")
        self._quick = self._clock() - transaction.dotted_at < QUICK
        self._settle(transaction, sent(reply) if reply.ok else classify(Stage.DOT, reply))
        if not self._open:
            self._advance()
        return None

    # --- after a refusal ---------------------------------------------------------------------------------------

    def _abandon(self, transaction: _Transaction) -> None:
        """Refused before the dot: answer for it, clear the server's mind, go on."""
        refusal = transaction.refusal
        if refusal is None or refusal.code < 400:
            return self._end(f"unreadable answer at {transaction.stage}: {refusal}")
        if refusal.code == 421:
            return None  # the caller ends the session, which settles everything open
        self._settle(transaction, classify(transaction.stage, refusal))
        self._expected.append((RSET, None))
        self._transport.write(b"RSET\r\n")
        if self.extensions.pipelining:
            self._advance()
        return None

    def _on_reset(self, reply: Reply) -> None:
        if not reply.ok:
            self._end(f"the server refused RSET: {reply}")
        elif not self.extensions.pipelining:
            self._advance()

    def _on_lone(self, reply: Reply) -> None:
        """The answer to the message for nobody."""

    def _settle(self, transaction: _Transaction, receipt: Receipt) -> None:
        self.served += 1
        self._open.remove(transaction)
        transaction.job.resolve(receipt)

    # --- the end -----------------------------------------------------------------------------------------------

    def _quit(self) -> None:
        self._retiring = True
        self._expected.append((QUIT, None))
        self._transport.write(b"QUIT\r\n")
        self._owner.leaving(self)

    def _on_quit(self, reply: Reply) -> None:
        self._end(None)

    def _end(self, text: str | None) -> None:
        """Everything open gets its verdict, once. `text` is None when nobody is to blame for the end."""
        if self._over:
            return
        self._over = True
        if self._timer is not None:
            self._timer.cancel()
        if self._open or text:
            self._transport.abort()
        else:
            self._transport.close()
        for transaction in self._open:
            self._answer_for(transaction, text or "the session ended")
        self._open.clear()
        self._owner.closed(self, text)

    def _answer_for(self, transaction: _Transaction, text: str) -> None:
        job, refusal = transaction.job, transaction.refusal
        if transaction.dotted:
            job.resolve(Receipt(Outcome.UNCERTAIN, Reason.ANSWER_LOST, text[:500], counted=False))
        elif refusal is None or refusal.code < 400:
            lost = Receipt(Outcome.DEFERRED, Reason.CONNECTION_LOST, text[:500], counted=False)
            self._owner.untouched(self, job, lost, rode=transaction.ahead)
        else:
            receipt = classify(transaction.stage, refusal)
            # 421 at MAIL mostly says that this session is over: another one may carry the message.
            if refusal.code == 421 and transaction.stage is Stage.MAIL and receipt.reason is not Reason.QUOTA:
                self._owner.untouched(self, job, receipt, rode=transaction.ahead)
            else:
                job.resolve(receipt)

    # --- time --------------------------------------------------------------------------------------------------

    def _rearm(self) -> None:
        """The deadline is that of the oldest answer we wait for."""
        now = self._clock()
        self._late = False
        if not self._expected:
            self._deadline = min(now + self._idle_seconds, self._expires)
            return
        step, transaction = self._expected[0]
        draining = step == DOT and transaction is not None and not transaction.dotted
        self._deadline = now + (self._block_seconds if draining else self._seconds[step])

    def _tick(self) -> None:
        """One timer for the life of the session. A missed deadline gets one more turn of the clock: a process
        that was stopped finds its answers in the socket, and must read them before it despairs."""
        self._timer = self._loop.call_later(self._tick_seconds, self._tick)
        if self._clock() < self._deadline:
            return
        if not self._expected:
            self._quit()
            self._rearm()
        elif not self._late:
            self._late = True
        else:
            self._end(None if self._expected[0][0] == QUIT else "no answer in time")


_DURING = (Session._on_mail, Session._on_rcpt, Session._on_data, Session._on_dot)
_AFTER = {LONE: Session._on_lone, RSET: Session._on_reset, QUIT: Session._on_quit}
_STALE = Receipt(Outcome.DEFERRED, Reason.STALE, "waited too long to be begun", counted=False)
_LEASE_LOST = Receipt(Outcome.DEFERRED, Reason.LEASE_LOST, "the right to send ran out", counted=False)
