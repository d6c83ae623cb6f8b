"""Which rows of one set may be written together. Pure.

One call may name the same person several times. The result is as if the rows had come one after the other:

- rows that identify themselves in exactly the same way are merged, the later value wins;
- a row that shares only part of an earlier row's identity waits for the next round, when that row is written.

One order is not kept: a row that waits can be overtaken by a later row which names the same stored contact by a key
that no row before it has, since only the database knows that the keys are one person's. Which of the two wrote last is
then left open; nobody is doubled.

Rounds cost statements, so most sets must need only one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from perigee.contacts.policy import Policy
from perigee.contacts.rows import TEXT_COLUMNS, ContactRow

_PLAIN = (*TEXT_COLUMNS, "email_spelling", "orders_info", "contact_id")


class Group(msgspec.Struct):
    """Rows that are one: the merged row, and the places of its rows in the set."""

    row: ContactRow
    places: list[int]
    strong: tuple[str, ...]
    weak: tuple[str, ...]
    """Keys that other rows with another external id may share (see `keys`)."""


def keys(row: ContactRow, policy: Policy) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(strong, weak) identity keys of a row.

    Addresses of a row with an external id are weak where contacts of another external id can never be found by
    them: two such rows do not wait for each other, however often a shop repeats its placeholder address.
    """
    match = policy.match
    addresses = []
    if row.email is not None and "email" in match.keys:
        addresses.append("e" + row.email)
    if row.phone is not None and "phone" in match.keys:
        addresses.append("p" + row.phone)
    others = []
    if row.external_id is not None:
        others.append("x" + row.external_id)
    if row.contact_id is not None:
        others.append(f"i{row.contact_id}")
    if row.tokens:
        others += [f"t{token.kind}\x1f{token.value}" for token in row.tokens]
    if match.field_id is not None and (value := row.fields.get(match.field_id)) is not None:
        others.append(f"f{value}")
    if row.external_id is not None and match.unknown_external in ("create", "unowned"):
        return tuple(others), tuple(addresses)
    return (*others, *addresses), ()


def group(rows: Sequence[ContactRow], policy: Policy) -> list[Group]:
    """The rows in order, identical ones merged."""
    groups: list[Group] = []
    last_strong: dict[str, Group] = {}
    last_weak: dict[str, Group] = {}
    for place, row in enumerate(rows):
        strong, weak = keys(row, policy)
        before = (
            {}
            if last_strong.keys().isdisjoint(strong)
            and last_weak.keys().isdisjoint(strong)
            and last_strong.keys().isdisjoint(weak)
            else {id(found): found for found in _touching(strong, weak, last_strong, last_weak)}
        )
        twin = next(iter(before.values()), None)
        if twin is not None and len(before) == 1 and (twin.strong, twin.weak) == (strong, weak):
            twin.row = merge(twin.row, row, policy)
            twin.places.append(place)
            continue
        fresh = Group(row, [place], strong, weak)
        groups.append(fresh)
        for key in strong:
            last_strong[key] = fresh
        for key in weak:
            last_weak[key] = fresh
    return groups


def ready(groups: Sequence[Group]) -> list[Group]:
    """Those that share no identity with an earlier one, which may all be written in one round."""
    strong: set[str] = set()
    weak: set[str] = set()
    free = []
    for one in groups:
        if (
            strong.isdisjoint(one.strong)
            and strong.isdisjoint(one.weak)
            and (not weak or weak.isdisjoint(one.strong))
        ):
            free.append(one)
        strong.update(one.strong)
        weak.update(one.weak)
    return free


def _touching(
    strong: Sequence[str], weak: Sequence[str], last_strong: dict[str, Group], last_weak: dict[str, Group]
) -> Iterator[Group]:
    """The latest group at each key of a row."""
    for key in strong:
        if key in last_strong:
            yield last_strong[key]
        if key in last_weak:
            yield last_weak[key]
    for key in weak:
        if key in last_strong:
            yield last_strong[key]


def merge(first: ContactRow, second: ContactRow, policy: Policy) -> ContactRow:
    """What two rows of one person come to, written one after the other.

    Where an update writes only listed columns, the second row's listed values win, missing ones included, and
    its other values do not count: it is an update, whether or not the first row makes the contact.
    """
    write = policy.write
    if not write.touch:
        return first
    changes: dict[str, object] = {}
    for column in _PLAIN:
        value = getattr(second, column)
        given = value is not None if write.listed is None else column in write.listed
        if given and not (column in write.keep and getattr(first, column) is not None):
            changes[column] = value
    if write.listed is None or "email" in write.listed:
        changes["email_spelling"] = second.email_spelling or first.email_spelling
    return msgspec.structs.replace(
        first,
        **changes,
        fields=_merge_fields(first, second, write.fields),
        tokens=_merge_tokens(first, second),
        groups=tuple(dict.fromkeys(first.groups + second.groups)),
    )


def _merge_fields(first: ContactRow, second: ContactRow, listed: frozenset[str] | None) -> dict[str, object]:
    if listed is None:
        return {**first.fields, **second.fields}
    kept = {key: value for key, value in first.fields.items() if key not in listed}
    return kept | {key: value for key, value in second.fields.items() if key in listed}


def _merge_tokens(first: ContactRow, second: ContactRow) -> tuple[object, ...]:
    latest = {(token.kind, token.value, token.app_id): token for token in first.tokens + second.tokens}
    return tuple(latest.values())
