"""People who are erased while an import waits or runs stay erased (reliability 39)."""

from __future__ import annotations

from typing import Any

import pytest

from perigee.imports import run as runs
from perigee.imports.run import run_import
from perigee.testing.api import Api
from perigee.testing.traces import traces

FILE = (
    "email,first name,phone,level\n"
    "zyz@example.com,Quixandra,,\n"
    "b@example.com,Bo,,\n"
    "c@example.com,Cy,,\n"
    "Zyz@Example.com,Quixandra,380501112299,\n"
    "d@example.com,Di,,\n"
)
ORDERS = "order id,date,total,status,email\nO-1,2025-05-04,10,paid,zyz@example.com\nO-2,2025-05-04,10,paid,b@example.com\n"


async def erase(api: Api, email: str) -> None:
    ((contact_id,),) = await api.rows(
        "select contact_id from contact where org_id = %(org_id)s and email = %(email)s", email=email
    )
    answer = await api.post("/api/v4/contacts/delete", {"contact_ids": [contact_id], "erase": True})
    assert answer.json() == {"deleted": 1}


async def add(api: Api, email: str) -> None:
    await api.post("/api/v1/contact", {"channels": [{"type": "email", "value": email}]})


async def queued(api: Api, imports: Any, file: str, **plan: Any) -> int:
    kind = plan.pop("kind", "contacts")
    import_id = int((await imports.upload(file, kind=kind))["import_id"])
    assert (await api.post(f"/api/v4/imports/{import_id}/start", plan)).status_code == 200
    return import_id


async def test_an_erasure_before_the_first_row(api: Api, imports: Any) -> None:
    await add(api, "zyz@example.com")
    import_id = await queued(api, imports, FILE)
    await erase(api, "zyz@example.com")
    await api.run_jobs()
    done = await imports.get(import_id)
    assert done["status"] == "finished"
    progress = done["progress"]
    assert (progress["done"], progress["created"], progress["skipped"]) == (5, 3, 2)
    assert {line["rule"] for line in await imports.report(import_id)} == {
        "the contact was erased after the import was started"
    }
    assert await traces(api.db, ["zyz@example.com", "Quixandra", "380501112299"], []) == []
    assert await api.rows("select erased from file_import where org_id = %(org_id)s") == [([],)]


async def test_an_erasure_between_two_steps(api: Api, imports: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "STEP", 2)
    import_id = await queued(api, imports, FILE)
    real = runs._apply

    async def erasing(conn: Any, org_id: int, items: Any) -> Any:
        if items[0].block.position == 2:
            await erase(api, "zyz@example.com")
        return await real(conn, org_id, items)

    monkeypatch.setattr(runs, "_apply", erasing)
    await run_import(api.db, api.org_id, import_id)
    done = await imports.get(import_id)
    assert (done["status"], done["progress"]["skipped"]) == ("finished", 1)
    assert await api.rows("select email from contact where org_id = %(org_id)s order by 1") == [
        ("b@example.com",),
        ("c@example.com",),
        ("d@example.com",),
    ]


async def test_a_file_of_orders_makes_nobody_anew_who_was_erased(api: Api, imports: Any) -> None:
    await add(api, "zyz@example.com")
    import_id = await queued(api, imports, ORDERS, kind="orders", options={"unmatched": "create"})
    await erase(api, "zyz@example.com")
    await api.run_jobs()
    done = await imports.get(import_id)
    assert (done["status"], done["progress"]["created"], done["progress"]["skipped"]) == ("finished", 1, 1)
    assert await api.rows("select email from contact where org_id = %(org_id)s") == [("b@example.com",)]
