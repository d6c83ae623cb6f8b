"""What channels to push tokens share: who is behind a token is looked up in sets, then each message is a request of its
own, so many at once."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import Collection, Coroutine, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar

import structlog
from psycopg import errors as pg

from perigee.db.pool import Connection, Database
from perigee.delivery.channel import Outcome, Outgoing, Reason, Receipt, StreamChannel

log = structlog.get_logger()

SET_SIZE: Final = 500

AWAY: Final = Receipt(Outcome.DEFERRED, Reason.CONNECTION_LOST, "the database was away", counted=False)
UNCERTAIN: Final = Receipt(Outcome.UNCERTAIN, Reason.ANSWER_LOST, "the push service gave no answer")

Found = TypeVar("Found")


class LookupChannel(StreamChannel, Generic[Found]):
    """Subclasses say how tokens are looked up and how one message is sent."""

    def __init__(self, database: Database, connections: int) -> None:
        """`connections`: messages on their way at once."""
        self._database = database
        self._room = asyncio.Semaphore(connections)
        self._waiting: list[tuple[Outgoing, asyncio.Future[Receipt]]] = []
        self._loading = False
        self._running: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def look_up(
        self, connection: Connection, org_id: int, tokens: Collection[str]
    ) -> Mapping[str, Found]:
        """By token; those that cannot be reached are missing."""

    @abstractmethod
    async def deliver(self, outgoing: Outgoing, found: Found | None) -> Receipt:
        """One message. What it raises is logged, and the message is uncertain."""

    def submit(self, outgoing: Outgoing) -> asyncio.Future[Receipt]:
        future: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        self._waiting.append((outgoing, future))
        if not self._loading:
            self._loading = True
            self._start(self._load())
        return future

    async def close(self) -> None:
        while self._running:
            await asyncio.wait(self._running)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _load(self) -> None:
        """Looks up whatever came in since the last look, until nothing has."""
        while self._waiting:
            part, self._waiting = self._waiting[:SET_SIZE], self._waiting[SET_SIZE:]
            found = await self._find([outgoing for outgoing, _ in part])
            for outgoing, future in part:
                if found is None:
                    future.set_result(AWAY)
                else:
                    one = found.get((outgoing.org_id, outgoing.address))
                    self._start(self._deliver(outgoing, one, future))
        self._loading = False

    async def _find(self, part: Sequence[Outgoing]) -> dict[tuple[int, str], Found] | None:
        """By organisation and token. None: nobody can be looked up now, and nothing was sent."""
        tokens: dict[int, set[str]] = {}
        for outgoing in part:
            tokens.setdefault(outgoing.org_id, set()).add(outgoing.address)
        found: dict[tuple[int, str], Found] = {}
        try:
            async with self._database.connection() as connection:
                for org_id, these in tokens.items():  # in practice one: a channel belongs to an organisation
                    rows = await self.look_up(connection, org_id, these)
                    found.update({(org_id, token): one for token, one in rows.items()})
        except pg.OperationalError as error:
            log.warning("pushes wait for the database", error=str(error).split("\n")[0])
            return None
        except Exception:
            log.exception("tokens cannot be looked up", channel=self.medium)
            return None
        return found

    async def _deliver(
        self, outgoing: Outgoing, found: Found | None, future: asyncio.Future[Receipt]
    ) -> None:
        receipt = UNCERTAIN
        try:
            async with self._room:
                receipt = await self.deliver(outgoing, found)
        except Exception:
            log.exception(
                "a push failed", channel=self.medium, send_id=outgoing.send_id, ordinal=outgoing.ordinal
            )
        finally:
            future.set_result(receipt)
