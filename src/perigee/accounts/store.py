"""Typed access to the accounts tables."""

from __future__ import annotations

from typing import Any

import msgspec

from perigee.accounts.types import ApiKeyRow, Principal
from perigee.db.pool import Connection
from perigee.db.queries import load

q = load(__package__)


async def principal_by_key(connection: Connection, fingerprint: bytes, *, idle_days: int) -> Principal | None:
    cursor = await connection.execute(
        q.principal_by_key, {"fingerprint": fingerprint, "idle_days": idle_days}
    )
    return _principal(await cursor.fetchone())


async def principal_by_token(connection: Connection, fingerprint: bytes) -> Principal | None:
    cursor = await connection.execute(q.principal_by_token, {"fingerprint": fingerprint})
    return _principal(await cursor.fetchone())


async def principal_by_login(connection: Connection, email: str) -> tuple[Principal, str] | None:
    """The caller a login would be, and the hash its password must match."""
    row = await (await connection.execute(q.principal_by_login, {"email": email})).fetchone()
    return None if row is None else (Principal(*row[:-1]), row[-1])


def _principal(row: tuple[Any, ...] | None) -> Principal | None:
    return None if row is None else Principal(*row)


async def first_organisation(connection: Connection) -> int | None:
    row = await (await connection.execute(q.first_organisation)).fetchone()
    return row[0] if row else None


async def insert_organisation(connection: Connection, name: str) -> int:
    row = await (await connection.execute(q.insert_organisation, {"name": name})).fetchone()
    assert row is not None
    return int(row[0])


async def insert_login(connection: Connection, email: str, password_hash: str | None) -> int:
    row = await (
        await connection.execute(q.insert_login, {"email": email, "password_hash": password_hash})
    ).fetchone()
    assert row is not None
    return int(row[0])


async def insert_membership(connection: Connection, org_id: int, user_id: int, role: str) -> None:
    await connection.execute(q.insert_membership, {"org_id": org_id, "user_id": user_id, "role": role})


async def insert_api_key(
    connection: Connection,
    org_id: int,
    *,
    fingerprint: bytes,
    hint: str,
    description: str,
    access: str,
    created_by: int | None,
) -> int:
    row = await (
        await connection.execute(
            q.insert_api_key,
            {
                "org_id": org_id,
                "fingerprint": fingerprint,
                "hint": hint,
                "description": description,
                "access": access,
                "created_by": created_by,
            },
        )
    ).fetchone()
    assert row is not None
    return int(row[0])


async def insert_api_token(
    connection: Connection, org_id: int, fingerprint: bytes, key_id: int, days: int
) -> None:
    await connection.execute(
        q.insert_api_token, {"org_id": org_id, "fingerprint": fingerprint, "key_id": key_id, "days": days}
    )


async def list_api_keys(connection: Connection, org_id: int) -> list[ApiKeyRow]:
    rows = await (await connection.execute(q.list_api_keys, {"org_id": org_id})).fetchall()
    return [ApiKeyRow(*row) for row in rows]


async def enable_api_key(connection: Connection, org_id: int, key_id: int, enabled: bool) -> bool:
    cursor = await connection.execute(
        q.enable_api_key, {"org_id": org_id, "key_id": key_id, "enabled": enabled}
    )
    return await cursor.fetchone() is not None


async def first_admin(connection: Connection, org_id: int) -> int | None:
    row = await (await connection.execute(q.first_admin, {"org_id": org_id})).fetchone()
    return row[0] if row else None


async def organisation(connection: Connection, org_id: int) -> tuple[str, str, str, str, dict[str, Any]]:
    """(name, time zone, currency, language, settings)."""
    row = await (await connection.execute(q.organisation, {"org_id": org_id})).fetchone()
    assert row is not None
    return row


async def update_organisation(
    connection: Connection, org_id: int, columns: dict[str, Any], settings: dict[str, Any]
) -> None:
    """`settings` are laid over those there."""
    await connection.execute(
        q.update_organisation,
        {
            "org_id": org_id,
            **dict.fromkeys(("name", "time_zone", "currency", "language")),
            **columns,
            "settings": msgspec.json.encode(settings).decode(),
        },
    )


async def change_api_key(
    connection: Connection, org_id: int, key_id: int, *, description: str | None, enabled: bool | None
) -> ApiKeyRow | None:
    """None stays as it is. None when there is no such key."""
    values = {"org_id": org_id, "key_id": key_id, "description": description, "enabled": enabled}
    row = await (await connection.execute(q.change_api_key, values)).fetchone()
    return None if row is None else ApiKeyRow(*row)


async def delete_api_key(connection: Connection, org_id: int, key_id: int) -> bool:
    cursor = await connection.execute(q.delete_api_key, {"org_id": org_id, "key_id": key_id})
    return await cursor.fetchone() is not None
