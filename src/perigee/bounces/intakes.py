"""Where providers of email report to: addresses with a signed token, keys sealed (table `webhook_intake`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from perigee.bounces import brake, verp
from perigee.bounces.types import Intake, IntakeCreate
from perigee.bounces.webhooks import SERVICES
from perigee.bounces.webhooks.told import Told
from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.delivery import events
from perigee.delivery.events import Report
from perigee.errors import NotFound, Unauthorized
from perigee.keys import Keys
from perigee.lib.tokens import InvalidToken, seal, unseal

q = load(__package__)

_PURPOSE: Final = "webhook-intake"


async def create(
    connection: Connection, keys: Keys, public_url: str, org_id: int, wanted: IntakeCreate
) -> Intake:
    """Raises Invalid for a key that is none of the service's."""
    key = SERVICES[wanted.service].check_key(wanted.key)
    cursor = await connection.execute(
        q.insert_intake,
        {"org_id": org_id, "service": wanted.service, "key": seal(keys.sealing, key.encode())},
    )
    row = await cursor.fetchone()
    assert row is not None
    return _shown(keys, public_url, org_id, row)


async def list_all(connection: Connection, keys: Keys, public_url: str, org_id: int) -> list[Intake]:
    cursor = await connection.execute(q.list_intakes, {"org_id": org_id})
    return [_shown(keys, public_url, org_id, row) for row in await cursor.fetchall()]


async def remove(connection: Connection, org_id: int, intake_id: int) -> None:
    """Raises NotFound."""
    cursor = await connection.execute(q.delete_intake, {"org_id": org_id, "intake_id": intake_id})
    if await cursor.fetchone() is None:
        raise NotFound(f"webhook intake {intake_id} does not exist")


def _shown(keys: Keys, public_url: str, org_id: int, row: Sequence[Any]) -> Intake:
    intake_id, service, created_at, called_at = row
    token = keys.links.sign(_PURPOSE, org_id, intake_id)
    return Intake(intake_id, service, f"{public_url}/hooks/{service}/{token}", created_at, called_at)


def read_token(keys: Keys, token: str) -> tuple[int, int]:
    """(org_id, intake_id). Raises Unauthorized."""
    try:
        org_id, intake_id = keys.links.verify(_PURPOSE, token)
    except (InvalidToken, ValueError):
        raise Unauthorized("no such address") from None
    return org_id, intake_id


async def key_of(connection: Connection, keys: Keys, org_id: int, intake_id: int, service: str) -> str:
    """Raises Unauthorized for an intake that was removed or is another service's."""
    cursor = await connection.execute(q.get_intake, {"org_id": org_id, "intake_id": intake_id})
    row = await cursor.fetchone()
    if row is None or row[0] != service:
        raise Unauthorized("no such address")
    return unseal(keys.sealing, row[1]).decode()


async def take(
    connection: Connection, keys: Keys, org_id: int, intake_id: int, told: Sequence[Told], *, brakes: bool
) -> None:
    """What a proven call says takes effect; what names no message of this organisation is passed over."""
    reports = [report for one in told if (report := _report(keys, org_id, one)) is not None]
    await events.apply(connection, org_id, reports)
    await connection.execute(q.touch_intake, {"org_id": org_id, "intake_id": intake_id})
    if brakes:
        await brake.press(connection, org_id, {one.send_id for one in reports if one.send_id is not None})


def _report(keys: Keys, org_id: int, told: Told) -> Report | None:
    for name in told.names:
        try:
            named = verp.read(keys.bounces, name)
        except NotFound:
            continue
        if named.org_id == org_id:
            return Report(
                type=told.type,
                at=told.at,
                send_id=named.send_id,
                ordinal=named.ordinal,
                reason=told.reason,
                text=told.text,
                event_id=told.event_id,
            )
    return None
