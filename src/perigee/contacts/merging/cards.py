"""What the card of the survivor says after a merge, and after its undoing. Pure; a card is a contact's row as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from perigee.errors import Conflict, Invalid

Card = dict[str, Any]
Prefer = Literal["newest", "survivor"]

IDENTIFIERS: Final = ("external_id", "email", "phone")
ADDRESS: Final = ("region", "town", "street", "postcode")
SINGLE: Final = ("first_name", "last_name", "contact_key", "language", "time_zone", "orders_info")
TAKEN: Final = (*IDENTIFIERS, *SINGLE, "address", "fields")
"""What a caller may choose from the merged contact."""


class Choice(NamedTuple):
    """`prefer`: of two values, that of the contact changed last, or the survivor's. Identifiers are the survivor's own
    where it has them. `take`: members that come from the merged contact in any case, if it has them.

    `forget_external_id`: of two different external ids the other one may be forgotten; else such a merge is refused.
    """

    prefer: Prefer = "newest"
    take: Sequence[str] = ()
    forget_external_id: bool = False


def merged(survivor: Card, other: Card, choice: Choice, now: datetime) -> Card:
    """Raises Invalid for a member that cannot be taken, Conflict for two external ids."""
    for place, member in enumerate(choice.take):
        if member not in TAKEN:
            raise Invalid.of(f"take[{place}]", member, f"must be one of {', '.join(TAKEN)}")
    _check_external_ids(survivor, other, choice)
    newest = choice.prefer == "newest" and _changed(other) > _changed(survivor)
    first, second = (other, survivor) if newest else (survivor, other)
    card = dict(survivor)
    for column in IDENTIFIERS:
        card[column] = _pick(column, survivor, other, column in choice.take, other)
    for column in SINGLE:
        card[column] = _pick(column, first, second, column in choice.take, other)
    where = next(
        (one for one in ([other] if "address" in choice.take else []) + [first, second] if _lives(one)), first
    )
    card |= {column: where[column] for column in ADDRESS}
    if "fields" in choice.take:
        first, second = other, survivor
    card["fields"] = {**second["fields"], **first["fields"]}
    if _created(other) < _created(survivor):
        card |= {"created_at": other["created_at"], "source": other["source"]}
    card["updated_at"] = now.isoformat()
    return card


def _check_external_ids(survivor: Card, other: Card, choice: Choice) -> None:
    theirs, others = survivor["external_id"], other["external_id"]
    if theirs and others and not choice.forget_external_id:
        raise Conflict(
            f"contact {survivor['contact_id']} has externalCustomerId='{theirs[:80]}' and contact"
            f" {other['contact_id']} has '{others[:80]}': two customers of the calling system; with"
            " forget_external_id the second is forgotten"
        )


def _pick(column: str, first: Card, second: Card, taken: bool, other: Card) -> Any:
    if taken and other[column]:
        return other[column]
    return first[column] or second[column]


def _lives(card: Card) -> bool:
    return any(card[column] for column in ADDRESS)


def _changed(card: Card) -> datetime:
    return datetime.fromisoformat(card["updated_at"])


def _created(card: Card) -> datetime:
    return datetime.fromisoformat(card["created_at"])


def _same(column: str, one: Any, other: Any) -> bool:
    if column.endswith("_at") and one and other:
        return datetime.fromisoformat(one) == datetime.fromisoformat(other)
    return bool(one == other)


def undone(now: Card, before: Card, written: Card) -> Card:
    """The survivor as it was: each value that the merge wrote and nobody changed since goes back."""
    card = dict(now)
    for column, value in before.items():
        if column != "fields" and _same(column, now[column], written[column]):
            card[column] = value
    fields = dict(now["fields"])
    for key in before["fields"].keys() | written["fields"].keys():
        if fields.get(key) == written["fields"].get(key):
            if key in before["fields"]:
                fields[key] = before["fields"][key]
            else:
                fields.pop(key, None)
    card["fields"] = fields
    return card
