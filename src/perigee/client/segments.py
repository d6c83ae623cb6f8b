"""Segments: lists, whose people are put in by hand, and dynamic ones, whose people are those of a condition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from perigee.client.pages import cursor_list
from perigee.client.transport import Transport, json, nothing
from perigee.contacts.types import Contact
from perigee.segments.actions_api import SplitList
from perigee.segments.explain import Explained
from perigee.segments.live.types import Change, ContactSegment, ContactSegments, Day, Growth
from perigee.segments.types import Count, Preview, Segment

IDS_PER_CALL = 500
"""The most that one call may name (contract 13.3)."""

_PATH = "/api/v4/segments"


async def list_segments(
    transport: Transport, *, name: str | None = None, tag: str | None = None, limit: int | None = None
) -> list[Segment]:
    """By id; `name` is a part of their names, `tag` one of their tags."""
    return await cursor_list(transport, _PATH, Segment, limit=limit, name=name, tag=tag)


async def create_list(transport: Transport, name: str) -> Segment:
    """A list without people."""
    return await transport.call("POST", _PATH, json(Segment), body={"name": name})


async def create_dynamic_segment(transport: Transport, name: str, condition: Any) -> Segment:
    """`condition` is a tree: `{"is": "orders", "measure": "count", "test": {"op": "at_least", "value": 2}}`."""
    return await transport.call("POST", _PATH, json(Segment), body={"name": name, "condition": condition})


async def count_segment(transport: Transport, segment_id: int) -> int:
    """How many people are in it now."""
    return (await transport.call("GET", f"{_PATH}/{segment_id}/count", json(Count))).count


async def preview_condition(transport: Transport, condition: Any, *, rows: int = 10) -> Preview:
    """How many people a condition holds for, and the first of them by id; nothing is stored. `rows`: at most 100."""
    body = {"condition": condition, "rows": rows}
    return await transport.call("POST", f"{_PATH}/preview", json(Preview), body=body)


async def explain_segment(transport: Transport, segment_id: int, contact_id: int) -> Explained:
    """Why a contact is in a segment or not: its condition with an answer at every part."""
    return await transport.call("GET", f"{_PATH}/{segment_id}/explain/{contact_id}", json(Explained))


async def get_segment(transport: Transport, segment_id: int) -> Segment:
    """With what is kept of a dynamic one (`live`): its people, and up to when that is right."""
    return await transport.call("GET", f"{_PATH}/{segment_id}", json(Segment))


async def recalculate_segment(transport: Transport, segment_id: int) -> Segment:
    """Has a dynamic segment worked out anew; `live` of the answer and of later ones says how far it is."""
    return await transport.call("POST", f"{_PATH}/{segment_id}/recalculate", json(Segment))


async def segment_growth(transport: Transport, segment_id: int, *, days: int = 30) -> list[Day]:
    """People of a dynamic segment day by day, up to today."""
    path = f"{_PATH}/{segment_id}/growth"
    return (await transport.call("GET", path, json(Growth), query={"days": days})).days


async def segment_changes(transport: Transport, segment_id: int, *, limit: int | None = None) -> list[Change]:
    """Who came into a dynamic segment and who left it, oldest first."""
    return await cursor_list(transport, f"{_PATH}/{segment_id}/changes", Change, limit=limit)


async def contact_segments(transport: Transport, contact_id: int) -> list[ContactSegment]:
    """The dynamic segments that a contact is in."""
    path = f"/api/v4/contacts/{contact_id}/segments"
    return (await transport.call("GET", path, json(ContactSegments))).items


async def segment_contacts(
    transport: Transport, segment_id: int, *, limit: int | None = None
) -> list[Contact]:
    """The people of a segment, by id."""
    return await cursor_list(transport, f"{_PATH}/{segment_id}/members", Contact, limit=limit)


async def attach_contacts(
    transport: Transport,
    segment_id: int,
    *,
    contact_ids: Sequence[int] = (),
    external_ids: Sequence[str] = (),
) -> int:
    """Puts people on a list, any number of them, in calls of 500; who is unknown is passed over. Returns how many
    are new on it."""
    return await _change(transport, segment_id, "members", "attached", contact_ids, external_ids)


async def detach_contacts(
    transport: Transport,
    segment_id: int,
    *,
    contact_ids: Sequence[int] = (),
    external_ids: Sequence[str] = (),
) -> int:
    """Takes people off a list in calls of 500. Returns how many were on it."""
    return await _change(transport, segment_id, "members/remove", "detached", contact_ids, external_ids)


async def split_segment(
    transport: Transport, segment_id: int, parts: Mapping[str, float | None]
) -> list[SplitList]:
    """Two or three new lists by name; with percents, 100 together, or none of them. The segment stays."""
    body = {"parts": [{"name": name, "percent": percent} for name, percent in parts.items()]}
    return await transport.call("POST", f"{_PATH}/{segment_id}/split", json(list[SplitList]), body=body)


async def copy_segment(transport: Transport, segment_id: int, name: str | None = None) -> Segment:
    """A dynamic segment with the same condition."""
    return await transport.call("POST", f"{_PATH}/{segment_id}/copy", json(Segment), body={"name": name})


async def delete_segment(transport: Transport, segment_id: int, *, contacts: bool = False) -> None:
    """`contacts`: its people are deleted, too; for 30 days they can be restored."""
    query = {"contacts": "true"} if contacts else {}
    await transport.call("DELETE", f"{_PATH}/{segment_id}", nothing, query=query)


async def change_segment_tags(
    transport: Transport, segment_ids: Sequence[int], *, add: Sequence[str] = (), remove: Sequence[str] = ()
) -> int:
    """How many segments there were."""
    body = {"segment_ids": list(segment_ids), "add": list(add), "remove": list(remove)}
    answer = await transport.call("POST", f"{_PATH}/tags", json(dict[str, int]), body=body, repeatable=True)
    return answer["segments"]


async def _change(
    transport: Transport,
    segment_id: int,
    what: str,
    counted: str,
    contact_ids: Sequence[int],
    external_ids: Sequence[str],
) -> int:
    calls = [{"contact_ids": part} for part in _parts(contact_ids)]
    calls += [{"external_ids": part} for part in _parts(external_ids)]
    changed = 0
    for body in calls:
        answer = await transport.call("POST", f"{_PATH}/{segment_id}/{what}", json(dict[str, int]), body=body)
        changed += answer[counted]
    return changed


def _parts(ids: Sequence[Any]) -> list[Sequence[Any]]:
    return [ids[start : start + IDS_PER_CALL] for start in range(0, len(ids), IDS_PER_CALL)]
