"""Operators, and channels to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from perigee.db.pool import Database
from perigee.delivery.channel import Outgoing
from perigee.delivery.channels.smpp.channel import SmppChannel
from perigee.delivery.channels.smpp.settings import SmppSettings, Times
from perigee.delivery.channels.smpp.tests.peer import Peer, Smsc, scripted, simulator
from perigee.testing.sending import Shop, make_shop

OpenChannel = Callable[..., SmppChannel]
QUICK = Times(
    connect=5, bind=5, enquire=5, answer=5, unbind=1, first_wait=0.01, longest_wait=0.05, refused_wait=0.5
)


def message(text: str = "Hi", address: str = "380501234567", **more: Any) -> Outgoing:
    values: dict[str, Any] = {
        "org_id": 1,
        "send_id": 10,
        "ordinal": 0,
        "contact_id": 1,
        "iid": "x",
        "sender": "Shop",
        **more,
    }
    return Outgoing(address=address, payload=text.encode(), **values)


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with scripted() as made:
        yield made


@pytest.fixture
async def smsc() -> AsyncIterator[Smsc]:
    async with simulator() as made:
        yield made


@pytest.fixture
async def shop(db: Database) -> Shop:
    return await make_shop(db)


@pytest.fixture
async def open_channel(shop: Shop) -> AsyncIterator[OpenChannel]:
    """Channels of the shop to a port on loopback; closed at the end."""
    made: list[SmppChannel] = []

    def open_(
        port: int, *, times: Times = QUICK, provider_id: int = 77, stand: bool = False, **settings: Any
    ) -> SmppChannel:
        channel = SmppChannel(
            SmppSettings(host="127.0.0.1", port=port, system_id="shop", password="pass", **settings),
            database=shop.db,
            org_id=shop.org_id,
            provider_id=provider_id,
            times=times,
        )
        if stand:
            channel.stand()
        made.append(channel)
        return channel

    yield open_
    for channel in made:
        await channel.close(grace=1)
