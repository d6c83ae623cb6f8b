from __future__ import annotations

import pytest

from perigee.delivery.channels.mobilepush.tests.accounts import APNS_KEYS, APPLE, FCM_KEYS, pem
from perigee.testing.api import Api


async def app(api: Api, kind: str = "mobilepush") -> str:
    made = await api.post("/api/v4/apps", {"kind": kind, "name": "Shop"})
    return f"/api/v4/apps/{made.json()['app_id']}/credentials"


async def test_keys_are_stored_sealed_and_not_shown(api: Api) -> None:
    path = await app(api)
    answer = await api.put(path, {"fcm": FCM_KEYS, "apns": APNS_KEYS})
    assert answer.status_code == 200, answer.text
    shown = (await api.get(path)).json()
    assert shown == answer.json()
    assert shown["fcm"] == {"project_id": "shop-1", "client_email": FCM_KEYS["client_email"]}
    assert shown["apns"]["topic"] == "com.example.shop"
    async with api.db.connection() as connection:
        row = await (
            await connection.execute("select credentials from app where org_id = %s", (api.org_id,))
        ).fetchone()
    assert row is not None
    assert b"PRIVATE" not in bytes(row[0])


async def test_what_is_absent_stays_and_null_takes_away(api: Api) -> None:
    path = await app(api)
    await api.put(path, {"fcm": FCM_KEYS, "apns": APNS_KEYS})
    assert (await api.put(path, {"fcm": None})).json().keys() == {"app_id", "apns"}
    assert (await api.put(path, {})).json().keys() == {"app_id", "apns"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"fcm": {**FCM_KEYS, "private_key": "none"}}, "fcm.private_key"),
        ({"fcm": {**FCM_KEYS, "private_key": pem(APPLE)}}, "fcm.private_key"),
        ({"apns": {**APNS_KEYS, "key": FCM_KEYS["private_key"]}}, "apns.key"),
        ({"apns": {**APNS_KEYS, "key_id": "a/b"}}, "apns.key_id"),
        ({"fcm": {**FCM_KEYS, "project_id": "../x"}}, "fcm.project_id"),
    ],
)
async def test_keys_that_are_none_are_refused_by_name(api: Api, body: object, field: str) -> None:
    path = await app(api)
    answer = await api.put(path, body)
    assert answer.status_code in (400, 422), answer.text
    assert field in answer.text
    assert (await api.get(path)).json().keys() == {"app_id"}


async def test_a_bot_has_no_such_keys(api: Api) -> None:
    answer = await api.put(await app(api, "telegram"), {"fcm": FCM_KEYS})
    assert answer.status_code in (400, 422)
