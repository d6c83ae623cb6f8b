"""Who may call what: the table of contract section 6.

A key has one access level; a method belongs to one group; the table says which groups a level opens. A method
that the contract's table does not name needs full access.
"""

from __future__ import annotations

from enum import StrEnum


class Right(StrEnum):
    """Groups of methods."""

    PUBLIC = "public"
    """No credentials at all."""
    GENERAL = "general"
    CONTACT_UPDATE = "contact update"
    CONTACT_READ = "contact reading"
    ACTIVITY = "activity"
    EVENTS = "events"
    MESSAGES = "messages"
    FULL = "full"


ACCESS: dict[str, frozenset[Right]] = {
    "full": frozenset(Right),
    "events": frozenset({Right.GENERAL, Right.EVENTS}),
    "events_contacts": frozenset(
        {Right.GENERAL, Right.EVENTS, Right.CONTACT_UPDATE, Right.CONTACT_READ, Right.ACTIVITY}
    ),
    "events_contacts_write": frozenset({Right.GENERAL, Right.EVENTS, Right.CONTACT_UPDATE}),
    "messages": frozenset({Right.GENERAL, Right.MESSAGES}),
    # A Bearer token of POST v1/auth/token: the event methods and nothing else.
    "event_token": frozenset({Right.EVENTS}),
}
