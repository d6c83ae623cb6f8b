"""SMS over SMPP 3.4, as a channel."""

from __future__ import annotations

import asyncio
from typing import ClassVar

import msgspec

from perigee.db.pool import Database
from perigee.delivery.channel import Medium, Outgoing, Receipt, StreamChannel
from perigee.delivery.channels.smpp.binds import Binds
from perigee.delivery.channels.smpp.inbound import Inbound
from perigee.delivery.channels.smpp.outbound import Outbound
from perigee.delivery.channels.smpp.pdu import Pdu
from perigee.delivery.channels.smpp.session import Session
from perigee.delivery.channels.smpp.settings import SmppSettings, Times


class SmppChannel(StreamChannel):
    """`payload` is the text in UTF-8, `sender` a name or a number, `address` the recipient's digits. Once `stand` is
    called, or the first message has come, the process stays bound and takes receipts until `close`."""

    medium: ClassVar[Medium] = Medium.SMS
    Settings: ClassVar[type[msgspec.Struct]] = SmppSettings

    def __init__(
        self,
        settings: SmppSettings,
        *,
        database: Database,
        org_id: int,
        provider_id: int,
        times: Times | None = None,
    ) -> None:
        self.reports = settings.receipts
        self._settings = settings
        self._org_id = org_id
        self._binds = Binds(settings, times or Times(), self)
        self._outbound = Outbound(settings, self._binds)
        self._inbound = Inbound(settings, database, org_id, provider_id, self._confirm)

    def submit(self, outgoing: Outgoing) -> asyncio.Future[Receipt]:
        return self._outbound.submit(outgoing)

    def stand(self) -> None:
        self._binds.start()

    async def check(self) -> None:
        await self._binds.check()

    async def close(self, grace: float = 30.0) -> None:
        await self._outbound.close(grace)
        await self._inbound.close()
        await self._binds.close(grace=1.0)
        await self._inbound.close()
        self._outbound.abandon()

    # --- of the sessions (`binds.User`) -------------------------------------------------------------------------

    def free(self, session: Session) -> None:
        self._outbound.pump()

    def inbound(self, session: Session, pdu: Pdu) -> None:
        self._inbound.take(session, pdu)

    def unavailable(self) -> None:
        self._outbound.give_back()

    def _confirm(self, phone: str, number: str) -> None:
        """The one answer to a stop word, from the number it was sent to."""
        self.submit(
            Outgoing(
                org_id=self._org_id,
                send_id=0,
                ordinal=0,
                contact_id=0,
                address=phone,
                iid="",
                sender=number,
                payload=self._settings.stop_reply.encode(),
            )
        )
