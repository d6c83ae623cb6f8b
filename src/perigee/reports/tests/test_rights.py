"""Who may read what (contract section 6)."""

from __future__ import annotations

import pytest

from perigee.accounts.keys import create_api_key
from perigee.keys import Keys
from perigee.testing.api import SECRET, Api

PERIOD = "dateFrom=2026-03-01&dateTo=2026-03-31"


@pytest.mark.parametrize(
    ("access", "path", "status"),
    [
        ("events_contacts", f"/api/v2/contacts/activity?{PERIOD}", 200),
        ("events_contacts_write", f"/api/v2/contacts/activity?{PERIOD}", 403),
        ("messages", f"/api/v1/contacts/activity?{PERIOD}", 403),
        ("events", f"/api/v1/contactActivity?{PERIOD}", 403),
        ("events", "/api/v1/balance", 200),
        ("events_contacts", "/api/v1/balance/history", 403),
        ("full", "/api/v1/balance/history", 200),
        ("events_contacts", f"/api/v2/contacts/messages?{PERIOD}&contactId=1", 403),
        ("full", f"/api/v2/contacts/messages?{PERIOD}&contactId=1", 404),
    ],
)
async def test_a_key_opens_what_its_access_names(api: Api, access: str, path: str, status: int) -> None:
    async with api.db.transaction() as connection:
        _, key = await create_api_key(
            connection, api.org_id, Keys.of(SECRET).pepper, description="test", access=access
        )
    assert (await api.get(path, key=key)).status_code == status


async def test_without_credentials_nothing_is_read(api: Api) -> None:
    for path in ("/api/v1/balance", f"/api/v2/contacts/activity?{PERIOD}"):
        assert (await api.get(path, key="")).status_code == 401
