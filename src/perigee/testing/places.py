"""Paths of declared methods with something in their places, for tests that walk all methods."""

from __future__ import annotations

import re

NOBODY = "999999"
"""An id that nothing has."""
ANYTHING = "11111111-2222-3333-4444-555555555555"
_KNOWN = {"token": "tok1", "language": "uk"}
_PLACE = re.compile(r"\{(\w+):(\w+)\}")


def filled(path: str) -> str:
    """`/contact/{contact_id:int}` → `/contact/999999`; texts that are no known word get a UUID."""
    return _PLACE.sub(lambda place: NOBODY if place[2] == "int" else _KNOWN.get(place[1], ANYTHING), path)
