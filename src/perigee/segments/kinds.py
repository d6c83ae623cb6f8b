"""Kinds of change after which a contact may hold another condition than before, as bits of a bigint. Pure.

Writers say what they changed (`live.notes`), leaves say what they look at (`Leaf.need`); where the two meet, the segment
is asked again for these contacts.
"""

from __future__ import annotations

import dataclasses

from perigee.segments.person import Needs

PRESENCE = 1 << 0
"""The contact is new, deleted or restored: concerns every condition."""
FIELDS = 1 << 1
"""The contact's own row, with its email and phone."""
ADDRESS = 1 << 2
"""The state of an email or a phone."""
TOKENS = 1 << 3
LISTS = 1 << 4
"""Lists and subscription categories."""
ORDERS = 1 << 5
SENT = 1 << 6
"""The ledger of what was sent, and what became of it at once. Written by senders, with the numbers in their SQL."""
ACTIVITY = 1 << 7
"""What became of messages later: delivered, opened, clicked, complained."""
RFM = 1 << 8

_FIRST_EVENT, _EVENT_BITS = 12, 48

EVENTS = ((1 << _EVENT_BITS) - 1) << _FIRST_EVENT
"""Of whatever types."""
ANY = (1 << (_FIRST_EVENT + _EVENT_BITS)) - 1
"""All there are."""
PERSON = FIELDS | ADDRESS | TOKENS | LISTS
"""What adding or updating a contact may change."""


def event(event_type_id: int) -> int:
    """Events of one type. Types share 48 bits, so that now and then a segment is asked in vain."""
    return 1 << (_FIRST_EVENT + event_type_id % _EVENT_BITS)


_OF_NEED = {
    "addresses": FIELDS | ADDRESS,
    "tokens": TOKENS,
    "segments": LISTS,
    "order_sums": ORDERS,
    "orders": ORDERS,
    "items": ORDERS,
    "rfm": RFM,
    "products": 0,  # no change of a contact; the recheck sees it
    "changes": 0,  # of the products
    "lists": 0,  # of the events
    "message_details": FIELDS | ADDRESS | SENT | ACTIVITY,
}


def following(needs: Needs) -> int:
    """After which kinds of change a tree with these needs may answer otherwise. Of a need that is not known here: any."""
    found = 0
    for field in dataclasses.fields(needs):
        value = getattr(needs, field.name)
        if not value:
            continue
        if field.name == "events":
            for event_type_id in value:
                found |= event(event_type_id)
        elif field.name == "messages":
            at_once = value & {"sent", "unavailable", "delivered", "failed"}
            later = value - {"sent", "unavailable"}
            found |= (SENT if at_once else 0) | (ACTIVITY if later else 0)
        else:
            found |= _OF_NEED.get(field.name, ANY)
    return found
