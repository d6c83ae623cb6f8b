"""Ways to upload and run imports."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest

from perigee.testing.api import Api


class Imports:
    def __init__(self, api: Api) -> None:
        self.api = api

    async def upload(self, body: bytes | str, name: str = "contacts.csv", **query: Any) -> dict[str, Any]:
        content = body.encode() if isinstance(body, str) else body
        path = f"/api/v4/imports?name={name}" + "".join(f"&{key}={value}" for key, value in query.items())
        answer = await self.api.post(path, content=content)
        assert answer.status_code == 201, answer.text
        found = answer.json()
        assert isinstance(found, dict)
        return found

    async def preview(self, import_id: int, rows: int = 100, **plan: Any) -> dict[str, Any]:
        answer = await self.api.post(f"/api/v4/imports/{import_id}/preview?rows={rows}", plan)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert isinstance(found, dict)
        return found

    async def run(self, import_id: int, **plan: Any) -> dict[str, Any]:
        """Starts it; how it ended."""
        answer = await self.api.post(f"/api/v4/imports/{import_id}/start", plan)
        assert answer.status_code == 200, answer.text
        await self.api.run_jobs()
        return await self.get(import_id)

    async def get(self, import_id: int) -> dict[str, Any]:
        found = (await self.api.get(f"/api/v4/imports/{import_id}")).json()
        assert isinstance(found, dict)
        return found

    async def load(self, body: bytes | str, name: str = "contacts.csv", **plan: Any) -> dict[str, Any]:
        return await self.run((await self.upload(body, name))["import_id"], **plan)

    async def report(self, import_id: int) -> list[dict[str, str]]:
        answer = await self.api.get(f"/api/v4/imports/{import_id}/report")
        assert answer.status_code == 200
        return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


@pytest.fixture
def imports(api: Api) -> Imports:
    return Imports(api)
