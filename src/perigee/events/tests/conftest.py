"""Short ways to send events over the wire and to look at what was stored."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from perigee.testing.api import Api


class Events:
    def __init__(self, api: Api) -> None:
        self.api = api

    async def post(self, params: Any = None, version: int = 3, **members: Any) -> httpx.Response:
        body = {"eventTypeKey": "seen", "params": params} | members
        return await self.api.post(f"/api/v{version}/event", body)

    async def past(self, *events: Any, version: int = 3) -> httpx.Response:
        return await self.api.post(f"/api/v{version}/past_events", {"events": list(events)})

    async def stored(self) -> list[Any]:
        """(type key, event key, contact id, parameters, source) in the order of recording."""
        return await self.api.rows(
            "select event_type.key, event_key, contact_id, event.params, source from event "
            "join event_type using (org_id, event_type_id) where org_id = %(org_id)s order by event_id"
        )

    async def contacts(self) -> list[Any]:
        """(contact id, external id, email, phone)"""
        return await self.api.rows(
            "select contact_id, external_id, email, phone from contact where org_id = %(org_id)s order by contact_id"
        )

    async def add_contact(self, **columns: Any) -> int:
        names = ", ".join(columns)
        values = ", ".join(f"%({name})s" for name in columns)
        rows = await self.api.rows(
            f"insert into contact (org_id, {names}) values (%(org_id)s, {values}) returning contact_id",
            **columns,
        )
        return int(rows[0][0])

    async def set_type(self, key: str, **columns: Any) -> None:
        assignments = ", ".join(f"{name} = %({name})s" for name in columns)
        await self.api.rows(
            "insert into event_type (org_id, key, name) values (%(org_id)s, %(key)s, %(key)s) on conflict do nothing",
            key=key,
        )
        await self.api.rows(
            f"update event_type set {assignments} where org_id = %(org_id)s and key = %(key)s",
            key=key,
            **columns,
        )


@pytest.fixture
def events(api: Api) -> Events:
    return Events(api)
