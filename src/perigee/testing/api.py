"""pytest plugin: the whole web application in the test's own process, on a fresh database.

Fixture `api`: an organisation with a full-access key and short ways to call methods. What a test sends and gets is
the wire: real routing, real authentication, real JSON.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar.testing import AsyncTestClient
from litestar.types import ASGIApp

from perigee.accounts.bootstrap import create_organisation
from perigee.db.pool import Database
from perigee.http.app import create_app
from perigee.keys import Keys
from perigee.settings import Settings

SECRET = "a secret of the tests"
UNLIMITED: dict[str, Any] = {
    **{option.name: 0 for option in dataclasses.fields(Settings) if option.name.startswith("rate_")},
    "failed_logins_per_minute": 100_000,
}
"""Settings without limits on calls: tests call as fast as they can."""
SETTINGS = Settings(
    home=Path("/nonexistent"), secret_key=SECRET, public_url="http://perigee.test", **UNLIMITED
)


class Api:
    """Calls as one organisation. Paths as they stand after the host: `/api/v1/contact`."""

    def __init__(
        self, client: httpx.AsyncClient, db: Database, org_id: int, key: str, settings: Settings = SETTINGS
    ) -> None:
        self.client = client
        self.db = db
        self.org_id = org_id
        self.key = key
        self.settings = settings

    async def call(
        self, method: str, path: str, json: Any = None, *, key: str | None = None, **more: Any
    ) -> httpx.Response:
        """`key`: another API key; "" sends no credentials."""
        if json is not None:
            more["json"] = json
        key = self.key if key is None else key
        if key:
            more["auth"] = ("any", key)
        return await self.client.request(method, path, follow_redirects=False, **more)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.call("GET", path, **more)

    async def post(self, path: str, json: Any = None, **more: Any) -> httpx.Response:
        return await self.call("POST", path, json, **more)

    async def put(self, path: str, json: Any = None, **more: Any) -> httpx.Response:
        return await self.call("PUT", path, json, **more)

    async def delete(self, path: str, json: Any = None, **more: Any) -> httpx.Response:
        return await self.call("DELETE", path, json, **more)

    async def rows(self, query: str, **values: Any) -> list[Any]:
        """Rows of a query in which `%(org_id)s` is this organisation."""
        async with self.db.connection() as connection:
            cursor = await connection.execute(query.encode(), {"org_id": self.org_id, **values})
            return await cursor.fetchall() if cursor.description else []

    async def run_jobs(self) -> None:
        """Runs the background jobs that are waiting, until there are none."""
        import procrastinate

        from perigee import jobs

        app = jobs.app.with_connector(
            procrastinate.PsycopgConnector(conninfo=self.db.url, min_size=1, max_size=3)
        )
        async with app.open_async():
            await app.run_worker_async(
                wait=False,
                install_signal_handlers=False,
                additional_context={"database": self.db, "settings": self.settings},
                listen_notify=False,
            )


async def make_organisation(db: Database, name: str = "Example Shop") -> tuple[int, str]:
    """(org_id, a full-access key)."""
    async with db.transaction() as connection:
        return await create_organisation(
            connection, Keys.of(SECRET), name=name, owner=f"owner@{name.split()[0].lower()}.example.com"
        )


def called_from(app: ASGIApp, address: str) -> Any:
    """`app` with a caller that has an address, which the test client has not."""

    async def called(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            scope["client"] = (address, 50_000)
        await app(scope, receive, send)

    return called


@pytest.fixture
def settings() -> Settings:
    """Settings of the web application; a test module may override the fixture."""
    return SETTINGS


@pytest.fixture
async def api(db: Database, database_url: str, settings: Settings) -> AsyncIterator[Api]:
    org_id, key = await make_organisation(db)
    app = called_from(create_app(settings, database_url), "127.0.0.1")
    async with AsyncTestClient(app, base_url="http://perigee.test") as client:
        yield Api(client, db, org_id, key, settings)
