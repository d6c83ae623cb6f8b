"""What the names in a condition refer to in one organisation, and the moment it is read at. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from perigee.segments.moments import Moment
from perigee.segments.node import Node


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What conditions of an organisation may name. Loaded for one tree: holds at least what that tree names."""

    currency: str = "USD"
    fields: Mapping[int, str] = field(default_factory=dict)
    """Additional fields by id: their type (`field.type`)."""
    event_types: Mapping[str, int] = field(default_factory=dict)
    categories: Mapping[str, int] = field(default_factory=dict)
    """Subscription categories by key: the segment of their subscribers."""
    campaigns: frozenset[int] = frozenset()
    messages: frozenset[int] = frozenset()
    """By id; those in the bin too, which people still have got."""
    lists: frozenset[int] = frozenset()
    rules: Mapping[int, Node] = field(default_factory=dict)
    """Dynamic segments by id: their conditions."""


@dataclass(frozen=True, slots=True)
class World:
    org_id: int
    moment: Moment
    catalogue: Catalogue
    candidates: Sequence[int] | None = None
    """Contact ids among which everybody who holds is known to be (`narrow`); None = nothing is known."""
