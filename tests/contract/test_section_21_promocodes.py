"""Contract section 21 on the wire: promo codes, and data for messages from files."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from perigee.testing.api import Api
from perigee.testing.files import Files, files, settings
from perigee.testing.sending import Shop
from perigee.testing.wire import ok, refused

__all__ = ["files", "settings"]

CODES = "/api/v1/promocodes"
FILES = "/api/v1/preprocessor/file"
UPLOAD = {
    "promocodes": ["MAY-1", "MAY-2"],
    "expirationDate": "2025-12-31T23:59",
    "discount": 10,
    "type": "type1",
    "inUse": False,
}


async def codes(api: Api, query: str = "") -> list[str]:
    return [row["code"] for row in ok(await api.get(f"{CODES}?{query}")).json()]


async def test_the_upload_is_echoed_and_listed_as_an_array(api: Api) -> None:
    assert ok(await api.get(CODES)).json() == []
    assert ok(await api.post(CODES, UPLOAD)).json() == UPLOAD
    row = {"discount": 10, "type": "type1", "expirationDate": "2025-12-31T23:59", "inUse": False}
    assert ok(await api.get(CODES)).json() == [{"code": "MAY-1", **row}, {"code": "MAY-2", **row}]
    ok(await api.post(CODES, UPLOAD | {"promocodes": ["MAY-2"], "discount": 20}))
    listed = {one["code"]: one["discount"] for one in ok(await api.get(CODES)).json()}
    assert listed == {"MAY-1": 10, "MAY-2": 20}


@pytest.mark.parametrize("member", ["promocodes", "expirationDate", "discount"])
async def test_codes_date_and_discount_are_required(api: Api, member: str) -> None:
    body = {name: value for name, value in UPLOAD.items() if name != member}
    assert refused(await api.post(CODES, body)).startswith(f"{member}:")
    assert await codes(api) == []


async def test_type_and_use_are_optional_and_a_code_is_not_in_use(api: Api) -> None:
    body = {name: UPLOAD[name] for name in ("promocodes", "expirationDate", "discount")}
    assert ok(await api.post(CODES, body)).json() == body
    assert await codes(api, "inUse=false") == ["MAY-1", "MAY-2"]


async def test_the_query_may_bring_all_but_the_codes_and_the_body_wins(api: Api) -> None:
    query = "expirationDate=2025-12-31T23:59&discount=10&type=type1&inUse=true"
    made = ok(await api.post(f"{CODES}?{query}", {"promocodes": ["A"]})).json()
    assert made == UPLOAD | {"promocodes": ["A"], "inUse": True}
    won = ok(await api.post(f"{CODES}?{query}", UPLOAD | {"discount": 20, "type": "type2"})).json()
    assert won == UPLOAD | {"discount": 20, "type": "type2"}


@pytest.mark.parametrize(("discount", "status"), [(0, 200), (99, 200), (-1, 400), ("10", 200), ("ten", 400)])
async def test_a_discount_is_a_number_from_nought(api: Api, discount: Any, status: int) -> None:
    ok(await api.post(CODES, UPLOAD | {"discount": discount}), status)


async def test_every_filter_narrows_the_list(api: Api) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
    ok(await api.post(CODES, UPLOAD | {"promocodes": ["SOON"], "expirationDate": f"{tomorrow}T23:59"}))
    late = {"promocodes": ["LATE"], "expirationDate": "2099-12-31T23:59", "type": "type2", "discount": 20}
    ok(await api.post(CODES, UPLOAD | late | {"inUse": True}))
    assert await codes(api, "type=type1") == ["SOON"]
    assert await codes(api, "discount=20") == ["LATE"]
    assert await codes(api, "inUse=true") == await codes(api, "inUse=1") == ["LATE"]
    assert await codes(api, "inUse=0") == ["SOON"]
    assert await codes(api, "activeDueDays=1") == ["LATE", "SOON"]
    assert await codes(api, "activeDueDays=2") == ["LATE"]


async def test_the_count_is_a_bare_number_with_the_same_filters(api: Api) -> None:
    ok(await api.post(CODES, UPLOAD | {"expirationDate": "2099-12-31T23:59"}))
    for query, count in (("", "2"), ("?type=type1&discount=10&activeDueDays=7", "2"), ("?type=no", "0")):
        assert ok(await api.get(f"{CODES}/count{query}")).text == count


RECS = {"anna@example.com": [{"name": "Mug"}], "bo@example.com": [{"name": "Tea"}]}


async def upload(api: Api, files: Files, data: Any, **more: Any) -> dict[str, Any]:
    body = {"link": files.link(json.dumps(data)), "preprocessorType": "Key", "ttlHours": 240, **more}
    return dict(ok(await api.post(f"{FILES}/upload", body)).json())


async def test_a_file_is_taken_loaded_and_replaced(api: Api, files: Files) -> None:
    made = await upload(api, files, RECS)
    assert made == {"message": "", "importId": made["importId"], "fileId": made["fileId"], "valid": True}
    assert str(UUID(made["importId"])) == made["importId"]
    assert made["fileId"].isdecimal()
    status = f"{FILES}/{made['importId']}/status"
    assert ok(await api.get(status)).json() == {"status": "PENDING"}
    await api.run_jobs()
    assert ok(await api.get(status)).json() == {"status": "COMPLETED"}
    new = {"link": files.link(json.dumps(RECS), "/recs2.json"), "ttlHours": 240}
    answer = ok(await api.post(f"{FILES}/{made['fileId']}", new)).json()
    assert answer == {"message": "", "asyncSessionId": answer["asyncSessionId"], "valid": True}
    await api.run_jobs()
    assert ok(await api.get(f"{FILES}/{answer['asyncSessionId']}/status")).json() == {"status": "COMPLETED"}


async def test_a_file_that_cannot_be_read_ends_in_error(api: Api, files: Files) -> None:
    made = await upload(api, files, [])
    await api.run_jobs()
    assert ok(await api.get(f"{FILES}/{made['importId']}/status")).json()["status"] == "ERROR"


@pytest.mark.parametrize("member", ["link", "preprocessorType"])
async def test_link_and_type_are_required(api: Api, files: Files, member: str) -> None:
    body = {"link": files.link("{}"), "preprocessorType": "Key"}
    del body[member]
    assert refused(await api.post(f"{FILES}/upload", body)).startswith(f"{member}:")


@pytest.mark.parametrize(("ttl", "hours"), [({"ttlHours": 240}, 240), ({"ttlHours": None}, 720)])
async def test_data_live_as_long_as_said_or_a_month(api: Api, files: Files, ttl: Any, hours: int) -> None:
    await upload(api, files, RECS, **ttl)
    await api.run_jobs()
    ((found,),) = await api.rows(
        "select extract(epoch from expires_at - loaded_at) / 3600 from data_file where org_id = %(org_id)s"
    )
    assert round(found) == hours


@pytest.mark.parametrize(("kind", "data"), [("Key", RECS), ("Random", {"all": [{"name": "Mug"}]})])
async def test_a_template_reads_what_the_file_says(api: Api, files: Files, kind: str, data: Any) -> None:
    await upload(api, files, data, preprocessorType=kind)
    await api.run_jobs()
    template = {
        "name": "Recommended",
        "from": '"Example Shop" <news@example.com>',
        "subject": "For you",
        "htmlText": "<p>#foreach($item in $data.get('recommendations'))$item.get('name');#end</p>",
    }
    message_id = ok(await api.post("/api/v1/messages/email", template)).json()["id"]
    people = {"recipients": [{"locator": "anna@example.com"}]}
    ok(await api.post(f"/api/v1/message/{message_id}/smartsend", people))
    shop = Shop(api.db, api.org_id)
    await shop.run_sender()
    assert b"Mug;" in await shop.value("select body from sandbox_message where org_id = %(org)s")


async def test_unknown_files_and_sessions_are_404(api: Api, files: Files) -> None:
    refused(await api.post(f"{FILES}/999", {"link": files.link("{}")}), 404)
    refused(await api.get(f"{FILES}/01234567-89ab-cdef-0123-456789abcdef/status"), 404)
