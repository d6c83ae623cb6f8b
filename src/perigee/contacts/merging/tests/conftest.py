"""Two contacts of one person, and a digest of everything the organisation has."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.testing.api import Api
from perigee.testing.rows import digest

PATH = "/api/v4/contacts"
UNLIKE = frozenset(
    {"contact_merge", "contact_moved", "contact_tally", "member_tally", "inbox_session"}
    | {"contact_rfm", "rfm_grid", "rfm_move"}
)
"""Tables that a merge and its undoing change: their own, counts kept as differences, tokens that end, and the moves
between cells, which are told as they happen."""


class Twins:
    def __init__(self, api: Api) -> None:
        self.api = api

    async def contact(self, **body: Any) -> int:
        answer = await self.api.post("/api/v1/contact", body)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["id"])

    async def separate(self, contact_id: int, email: str) -> None:
        """Gives a contact an email that another one has, too, as the wire lets happen (contract 7.2)."""
        await self.api.rows(
            "update contact set email = %(email)s where org_id = %(org_id)s and contact_id = %(id)s",
            email=email,
            id=contact_id,
        )

    async def card(self, contact_id: int) -> dict[str, Any] | None:
        rows = await self.api.rows(
            "select to_jsonb(c) from contact c where org_id = %(org_id)s and contact_id = %(id)s",
            id=contact_id,
        )
        return rows[0][0] if rows else None

    async def merge(self, survivor: int, other: int, **more: Any) -> dict[str, Any]:
        answer = await self.api.post(f"{PATH}/{survivor}/merge", {"contact_id": other, **more})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    async def undo(self, merge_id: int) -> dict[str, Any]:
        answer = await self.api.post(f"/api/v4/merges/{merge_id}/undo")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def everything(self) -> dict[str, Any]:
        return {name: rows for name, rows in (await digest(self.api)).items() if name not in UNLIKE}


@pytest.fixture
def twins(api: Api) -> Twins:
    return Twins(api)
