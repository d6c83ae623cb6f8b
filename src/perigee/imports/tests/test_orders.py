"""Files of orders: journey J3 (product 16), items, forms of values, and what is refused."""

from __future__ import annotations

import io
import json
from datetime import datetime
from typing import Any

import pytest
from openpyxl import Workbook

from perigee.imports import run
from perigee.testing.api import Api

OPTIONS: dict[str, Any] = {"unmatched": "create"}


async def person(api: Api, external_id: str, email: str) -> int:
    body = {"externalCustomerId": external_id, "channels": [{"type": "email", "value": email}]}
    return int((await api.post("/api/v1/contact", body)).json()["id"])


async def load(imports: Any, body: bytes | str, name: str = "orders.csv", **plan: Any) -> dict[str, Any]:
    looked = await imports.upload(body, name, kind="orders")
    done = await imports.run(looked["import_id"], **plan)
    assert done["status"] == "finished", done
    assert isinstance(done, dict)
    return done


def counts(done: dict[str, Any]) -> dict[str, int]:
    """Those that are not 0. All rows are told once."""
    progress = dict(done["progress"])
    progress.pop("rate", None)
    told = ("created", "updated", "duplicates", "skipped", "errors")
    assert sum(progress[name] for name in told) == progress["done"] == progress["total"]
    return {name: value for name, value in progress.items() if value and name not in ("done", "total")}


async def orders(api: Api) -> list[tuple[Any, ...]]:
    found = await api.rows(
        "select external_order_id, status, total, currency, contact_id is not null "
        "from orders where org_id = %(org_id)s order by 1"
    )
    return [(row[0], row[1], float(row[2]), *row[3:]) for row in found]


async def items(api: Api, external_order_id: str) -> list[tuple[Any, ...]]:
    found = await api.rows(
        "select i.external_item_id, i.name, i.quantity, i.cost from order_item i join orders o using (org_id, order_id) "
        "where org_id = %(org_id)s and external_order_id = %(id)s order by i.position",
        id=external_order_id,
    )
    return [(row[0], row[1], float(row[2]), None if row[3] is None else float(row[3])) for row in found]


ROWS = """Order number;Date;Customer id;Status;Total;Currency;SKU;Product name;Qty;Price
A-1;04.05.2025 10:11;CRM-1;Выполнен;1 259,90;UAH;S1;Mug;2;29,95
A-1;;;;;;S2;Kettle;1;1 200
A-2;05.05.2025;CRM-1;new;10;UAH;S1;Mug;1;10
A-3;2025-05-06;CRM-9;delivered;7,5;UAH;S3;Spoon;1;7,5
A-4;06.05.2025;CRM-1;DELIVERED;5;UAH;S3;Spoon;1;5
"""


async def test_import_of_orders(api: Api, imports: Any) -> None:
    """J3: items, no duplicate ids, unmatched customers listed, only delivered orders count."""
    anna = await person(api, "CRM-1", "anna@example.com")
    looked = await imports.upload(ROWS, "orders.csv", kind="orders")
    assert [column.get("target") for column in looked["columns"]] == [
        "order_id", "date", "external_customer_id", "status", "total", "currency", "item_id", "item_name",
        "item_quantity", "item_cost",
    ]  # fmt: skip
    tried = await imports.preview(looked["import_id"])
    assert [row["kept"] for row in tried["rows"]] == [True] * 5
    done = await imports.run(looked["import_id"])
    assert counts(done) == {"created": 5, "warnings": 1}
    assert await orders(api) == [
        ("A-1", "DELIVERED", 1259.9, "UAH", True),
        ("A-2", "INITIALIZED", 10, "UAH", True),
        ("A-3", "DELIVERED", 7.5, "UAH", False),
        ("A-4", "DELIVERED", 5, "UAH", True),
    ]
    assert await items(api, "A-1") == [("S1", "Mug", 2, 29.95), ("S2", "Kettle", 1, 1200)]
    (stranger,) = await imports.report(looked["import_id"])
    assert (stranger["line"], stranger["level"], stranger["value"]) == ("5", "warning", "CRM-9")
    assert "no such contact" in stranger["rule"]

    async def delivered() -> list[Any]:
        found = await api.rows(
            "select f.delivered, r.times, r.frequency from contact_orders f join contact_rfm r using (org_id, contact_id) "
            "where org_id = %(org_id)s and contact_id = %(id)s and grid = 'sales'",
            id=anna,
        )
        return list(found)

    assert await delivered() == [(2, 2, 2)]
    rule = {"is": "orders", "measure": "count", "test": {"op": "at_least", "value": 2}}
    asked = (await api.post("/api/v4/segments/preview", {"condition": rule})).json()
    assert asked["count"] == 1
    card = (await api.get("/api/v4/orders", params={"contact_id": anna})).json()["items"]
    assert sorted(one["external_order_id"] for one in card) == ["A-1", "A-2", "A-4"]

    again = ROWS.replace("new", "delivered").replace("06.05.2025;CRM-1;DELIVERED", "06.05.2025;CRM-1;отменён")
    assert counts(await load(imports, again)) == {"updated": 5, "warnings": 1}
    assert [(one[0], one[1]) for one in await orders(api)] == [
        ("A-1", "DELIVERED"),
        ("A-2", "DELIVERED"),
        ("A-3", "DELIVERED"),
        ("A-4", "CANCELLED"),
    ]
    assert await items(api, "A-1") == [("S1", "Mug", 2, 29.95), ("S2", "Kettle", 1, 1200)]
    assert await delivered() == [(2, 2, 2)]
    assert await api.rows("select 1 from event where org_id = %(org_id)s") == []


async def test_an_unmatched_order_finds_its_owner_later(api: Api, imports: Any) -> None:
    await load(imports, ROWS)
    await person(api, "CRM-9", "late@example.com")
    await load(imports, ROWS)
    assert [one[0] for one in await orders(api) if one[4]] == ["A-3"]


async def test_an_owner_is_not_lost_when_nobody_matches(api: Api, imports: Any) -> None:
    await person(api, "CRM-1", "anna@example.com")
    await load(imports, ROWS)
    await api.rows("update contact set external_id = 'NEW' where org_id = %(org_id)s returning 1")
    assert counts(await load(imports, ROWS)) == {"updated": 5, "warnings": 4}
    assert [one[0] for one in await orders(api) if one[4]] == ["A-1", "A-2", "A-4"]


@pytest.mark.parametrize(
    ("unmatched", "expected", "stored"),
    [
        ("create", {"created": 5}, 4),
        ("skip", {"created": 4, "skipped": 1}, 3),
        ("keep", {"created": 5, "warnings": 1}, 4),
    ],
)
async def test_what_becomes_of_unmatched_orders(
    api: Api, imports: Any, unmatched: str, expected: dict[str, int], stored: int
) -> None:
    await person(api, "CRM-1", "anna@example.com")
    done = await load(imports, ROWS, options={"unmatched": unmatched})
    assert counts(done) == expected
    assert len(await orders(api)) == stored
    ((people,),) = await api.rows("select count(*) from contact where org_id = %(org_id)s")
    assert people == (2 if unmatched == "create" else 1)


async def test_orders_of_the_wire_a_line_each(api: Api, imports: Any) -> None:
    lines = [
        {
            "externalOrderId": f"SO-{number}",
            "externalCustomerId": "CRM-1",
            "totalCost": 59.9,
            "status": "INITIALIZED",
            "date": "2025-05-04T10:11:10+03:00",
            "currency": "EUR",
            "email": "anna@example.com",
            "deliveryMethod": "post",
            "additionalInfo": {"coupon": "MAY"},
            "items": [
                {"externalItemId": "SKU-1", "name": "Mug", "quantity": 2, "cost": 29.95, "colour": "red"}
            ],
        }
        for number in (1, 2)
    ]
    file = "\n".join(map(json.dumps, lines))
    assert counts(await load(imports, file, "orders.jsonl", options=OPTIONS)) == {"created": 2}
    assert await orders(api) == [(f"SO-{n}", "INITIALIZED", 59.9, "EUR", True) for n in (1, 2)]
    assert await items(api, "SO-2") == [("SKU-1", "Mug", 2, 29.95)]
    ((details, at),) = await api.rows(
        "select details, ordered_at at time zone 'UTC' from orders where org_id = %(org_id)s and external_order_id = 'SO-1'"
    )
    assert details["deliveryMethod"] == "post"
    assert details["additionalInfo"] == {"coupon": "MAY"}
    assert at.isoformat() == "2025-05-04T07:11:10"


async def test_a_workbook(api: Api, imports: Any) -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Order id", "Order date", "E-mail", "Status", "Amount"])
    sheet.append(["X-1", datetime(2025, 5, 4, 10, 30), "anna@example.com", "Shipped", 12.5])
    sheet.append([77, datetime(2025, 5, 5), "anna@example.com", "Доставлено", 100])
    file = io.BytesIO()
    book.save(file)
    assert counts(await load(imports, file.getvalue(), "orders.xlsx", options=OPTIONS)) == {"created": 2}
    assert [one[:3] for one in await orders(api)] == [("77", "DELIVERED", 100), ("X-1", "IN_PROGRESS", 12.5)]


async def test_totals_of_items_statuses_and_defaults_of_the_file(api: Api, imports: Any) -> None:
    file = "order,date,email,state,product,qty,price\nB-1,2025-05-04,a@example.com,paid,P1,3,1.5\nB-1,,,,P2,1,2\nB-2,2025-05-04,b@example.com,,P1,1,4\n"
    options = OPTIONS | {
        "statuses": {"Paid": "DELIVERED"},
        "status": "CANCELLED",
        "currency": "eur",
        "source": "offline",
    }
    assert counts(await load(imports, file, options=options)) == {"created": 3}
    assert await orders(api) == [
        ("B-1", "DELIVERED", 6.5, "EUR", True),
        ("B-2", "CANCELLED", 4, "EUR", True),
    ]


async def test_events_are_raised_when_they_are_asked_for(api: Api, imports: Any) -> None:
    await load(imports, ROWS, options=OPTIONS | {"events": True})
    found = await api.rows(
        "select key, count(*) from event join event_type using (org_id, event_type_id) "
        "where org_id = %(org_id)s group by 1 order by 1"
    )
    assert found == [("orderDELIVERED", 3), ("orderINITIALIZED", 1)]


async def test_the_same_order_in_two_rows_is_one(api: Api, imports: Any) -> None:
    file = "order,date,email,status,total\nC-1,2025-05-04,a@example.com,new,1\nC-1,2025-05-05,a@example.com,done,2\n"
    assert counts(await load(imports, file, options=OPTIONS)) == {"created": 1, "duplicates": 1}
    assert await orders(api) == [("C-1", "DELIVERED", 2, "USD", True)]


async def test_a_refused_order_is_refused_with_all_its_rows(api: Api, imports: Any) -> None:
    file = (
        ROWS
        + "A-5;31.02.2025;CRM-1;new;1;UAH;S1;Mug;1;1\nA-6;04.05.2025;CRM-1;new;5;UAH;S1;Mug;1;5\nA-6;;;;;;S2;;many;5\n"
    )
    looked = await imports.upload(file, "orders.csv", kind="orders")
    done = await imports.run(looked["import_id"], options=OPTIONS)
    assert counts(done) == {"created": 5, "errors": 3}
    report = await imports.report(looked["import_id"])
    assert [(row["line"], row["value"]) for row in report] == [("7", "31.02.2025"), ("8", "many"), ("9", "")]
    assert "line 8" in report[2]["rule"]
    assert "A-5" not in [one[0] for one in await orders(api)]


async def test_items_of_one_order_come_in_one_block(
    api: Api, imports: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "STEP", 1)
    await load(imports, ROWS, options=OPTIONS)
    assert len(await items(api, "A-1")) == 2


async def test_rows_of_an_order_that_stand_apart_are_refused_and_lose_nothing(
    api: Api, imports: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "STEP", 1)
    file = ROWS + "A-1;04.05.2025 10:11;CRM-1;done;1;UAH;S9;Late;1;1\n"
    looked = await imports.upload(file, "orders.csv", kind="orders")
    done = await imports.run(looked["import_id"], options=OPTIONS)
    assert counts(done) == {"created": 5, "errors": 1}
    assert "sort the file" in (await imports.report(looked["import_id"]))[0]["rule"]
    assert await items(api, "A-1") == [("S1", "Mug", 2, 29.95), ("S2", "Kettle", 1, 1200)]


@pytest.mark.parametrize(
    ("head", "plan", "named"),
    [
        ("order,date,email,status", {}, "total"),
        ("order,date,status,total", {}, "external_customer_id or email or phone"),
        ("order,email,total", {}, "date, nor to status"),
        ("order,date,email,status,total", {"options": {"unmatched": "lose"}}, "options"),
        ("order,date,email,status,total", {"options": {"statuses": {"x": "a?b"}}}, "status"),
        ("order,date,email,status,total", {"options": {"currency": "money"}}, "currency"),
        ("order,date,email,status,total", {"import_empty": True}, "import_empty"),
        ("order,date,email,status,total,items,sku", {}, "items"),
    ],
)
async def test_a_plan_that_cannot_work_is_refused_before_it_starts(
    api: Api, imports: Any, head: str, plan: dict[str, Any], named: str
) -> None:
    cells = {"order": "C-1", "date": "2025-05-04", "email": "a@example.com", "status": "new", "total": "1"}
    row = ",".join(cells.get(name, "x") for name in head.split(","))
    looked = await imports.upload(f"{head}\n{row}\n", "orders.csv", kind="orders")
    answer = await api.post(f"/api/v4/imports/{looked['import_id']}/start", plan)
    assert answer.status_code == 400
    assert named in answer.text
    assert (await imports.get(looked["import_id"]))["status"] == "ready"


async def test_a_key_for_contacts_brings_no_orders(api: Api) -> None:
    """As POST v1/orders, which needs full access (contract 6)."""
    made = await api.post("/api/v4/api-keys", {"description": "Plugin", "access": "events_contacts"})
    key = made.json()["key"]
    refused = await api.post("/api/v4/imports?kind=orders", content=ROWS.encode(), key=key)
    assert refused.status_code == 403
    taken = await api.post("/api/v4/imports", content=b"email\na@example.com\n", key=key)
    assert taken.status_code == 201


async def test_a_key_for_contacts_sees_and_starts_no_orders_of_others(api: Api, imports: Any) -> None:
    looked = await imports.upload(ROWS, "orders.csv", kind="orders")
    made = await api.post("/api/v4/api-keys", {"description": "Plugin", "access": "events_contacts"})
    key = made.json()["key"]
    path = f"/api/v4/imports/{looked['import_id']}"
    for method in ("preview", "start", "cancel"):
        assert (await api.post(f"{path}/{method}", {}, key=key)).status_code == 403, method
    assert (await api.get(path, key=key)).status_code == 403
    assert (await api.get(f"{path}/report", key=key)).status_code == 403
    assert (await api.get("/api/v4/imports", key=key)).json()["items"] == []
    assert (await imports.get(looked["import_id"]))["status"] == "ready"
