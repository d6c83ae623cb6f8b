"""Which opens and clicks are people's: one condition for all figures."""

from __future__ import annotations

from typing import Final

HUMAN: Final = "coalesce(a.meta ->> 'machine', '') = ''"
"""Over `activity a`. Hits of machines are kept raw and counted nowhere."""


def people_only(statement: str) -> str:
    return statement.replace("{human}", HUMAN)
