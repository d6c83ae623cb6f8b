"""Events of contacts that went from one cell to another (product 9, TRACKING 7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from perigee.db.pool import Connection
from perigee.events.people import find
from perigee.events.record import record
from perigee.events.types import Identity, NewEvent, Person
from perigee.events.types_registry import ensure_types
from perigee.rfm import store
from perigee.rfm.cells import Grid
from perigee.rfm.types import Moved, RfmMoveRule

TYPE_KEYS: Mapping[Grid, str] = {"mail": "rfmMailMoved", "sales": "rfmSalesMoved"}


async def tell(conn: Connection, org_id: int, grid: Grid, moves: Sequence[Moved]) -> None:
    """Raises an event for each move of a living contact, where the grid's switch is on and its rules hold."""
    if not moves:
        return
    stored = await store.raised(conn, org_id, grid)
    if stored is None:
        return
    rules = msgspec.convert(stored, list[RfmMoveRule])
    wanted = [move for move in moves if not rules or any(rule.holds(move) for rule in rules)]
    if not wanted:
        return
    people = await find(conn, org_id, [Identity(contact_id=move.contact_id) for move in wanted], narrow=False)
    types = await ensure_types(conn, org_id, [TYPE_KEYS[grid]], category="rfm")
    events = [
        event(grid, move, person) for move, person in zip(wanted, people, strict=True) if person is not None
    ]
    await record(conn, org_id, events, types=types)


def event(grid: Grid, move: Moved, person: Person) -> NewEvent:
    """From which cell to which, and the contact's identifiers."""
    params: dict[str, object] = {
        "grid": grid,
        "fromRecency": move.start.recency,
        "fromFrequency": move.start.frequency,
        "toRecency": move.end.recency,
        "toFrequency": move.end.frequency,
        "contactId": person.contact_id,
    }
    known = {"externalCustomerId": person.external_id, "email": person.email, "phone": person.phone}
    params |= {name: value for name, value in known.items() if value is not None}
    return NewEvent(
        type_key=TYPE_KEYS[grid],
        event_key=str(person.contact_id),
        contact_id=person.contact_id,
        params=params,
        source="rfm",
    )
