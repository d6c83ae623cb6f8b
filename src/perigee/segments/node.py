"""The common ground of everything in a condition tree."""

from __future__ import annotations

import msgspec


class Node(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="is"):
    """A node; the member `is` says which."""
