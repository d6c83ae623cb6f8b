"""The applications of an organisation: who may bring tokens (contract 22.3 to 22.5).

An application is named by a UUID, which is built into its SDK or bot; one that moves here may keep the UUID it had.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID, uuid4

import msgspec
from msgspec import Meta

from perigee.db.pool import Connection
from perigee.errors import Conflict, Invalid, NotFound
from perigee.lib.scalars import to_text
from perigee.push import store

AppKind = Literal["mobilepush", "appinbox", "telegram"]

WRONG_UUID = "Wrong app uuid"
NOT_REGISTERED = "Not registered application"


class App(msgspec.Struct, frozen=True):
    app_id: UUID
    kind: AppKind
    name: str


class AppCreate(msgspec.Struct, forbid_unknown_fields=True):
    """`app_id` absent: a new one is made."""

    kind: AppKind
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    app_id: UUID | None = None


async def register(conn: Connection, org_id: int, wanted: AppCreate) -> App:
    """Raises Invalid for a blank name, Conflict for an id that is taken."""
    name = to_text("name", wanted.name)
    if name is None:
        raise Invalid("name: is required", field="name")
    app = App(wanted.app_id or uuid4(), wanted.kind, name)
    if not await store.insert_app(conn, org_id, app.app_id, app.kind, app.name):
        raise Conflict(f"application {app.app_id} is already registered")
    return app


async def list_apps(conn: Connection, org_id: int) -> Sequence[App]:
    """In the order of their registration."""
    return [App(*row) for row in await store.list_apps(conn, org_id)]


async def remove(conn: Connection, org_id: int, app_id: UUID) -> None:
    """Its tokens stay with their contacts. Raises NotFound."""
    if not await store.delete_app(conn, org_id, app_id):
        raise NotFound(f"application {app_id} does not exist")


async def require(conn: Connection, org_id: int, text: str, kind: AppKind) -> str:
    """The application of this kind, as tokens carry it. Raises Invalid and NotFound in the words of the wire."""
    app_id = read_app_id(text)
    if await store.app_kind(conn, org_id, app_id) != kind:
        raise NotFound(NOT_REGISTERED)
    return str(app_id)


def read_app_id(text: str) -> UUID:
    """Raises Invalid. Only the usual form with dashes, in any case."""
    try:
        found = UUID(text)
    except ValueError:
        raise Invalid(WRONG_UUID, field="app_uuid", value=text) from None
    if str(found) != text.lower():
        raise Invalid(WRONG_UUID, field="app_uuid", value=text)
    return found
