"""The life of an import over the wire: options, mapping, cancel, going on after a crash, the report, schemes."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest

from perigee.imports import run as runs
from perigee.imports import store
from perigee.imports.run import run_import
from perigee.settings import Settings
from perigee.testing.api import SETTINGS, Api

PEOPLE = (
    "select email, first_name, town from contact where org_id = %(org_id)s and deleted_at is null order by 1"
)


@pytest.fixture
def settings() -> Settings:
    return dataclasses.replace(SETTINGS, max_upload_file_mb=1)


async def add(api: Api, email: str, **members: Any) -> int:
    body = {"channels": [{"type": "email", "value": email}], **members}
    answer = await api.post("/api/v1/contact", body)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


def counts(done: dict[str, Any]) -> dict[str, int]:
    return {name: value for name, value in done["progress"].items() if value and name != "rate"}


async def test_blank_cells_keep_what_is_there_unless_they_are_imported(api: Api, imports: Any) -> None:
    await add(api, "a@example.com", firstName="Anna", address={"town": "Lviv"})
    file = "email,first name,city\na@example.com,,\n"
    assert counts(await imports.load(file)) == {"total": 1, "done": 1, "updated": 1}
    assert await api.rows(PEOPLE) == [("a@example.com", "Anna", "Lviv")]
    await imports.load(file, import_empty=True)
    assert await api.rows(PEOPLE) == [("a@example.com", None, None)]


async def test_the_first_line_can_be_data_or_not(api: Api, imports: Any) -> None:
    columns = [{"column": 0, "target": "email"}]
    looked = await imports.upload("a@example.com\nb@example.com\n")
    assert looked["format"]["has_headings"] is False
    done = await imports.run(looked["import_id"], columns=columns, has_headings=True)
    assert counts(done) == {"total": 1, "done": 1, "created": 1}
    assert await api.rows(PEOPLE) == [("b@example.com", None, None)]


@pytest.mark.parametrize(
    ("unique", "file", "people"),
    [
        ("phone", "phone,name\n+380 50 111 22 33,Anna\n(380)501112233,Bo\n,Cy\n", [("Bo",)]),
        ("external_id", "external id,name,email\n1,Anna,bad@@x\n1,Bo,\n,Cy,c@example.com\n", [("Bo",)]),
        (
            "email_or_phone",
            "email,phone,name\na@example.com,,Anna\n,380501112233,Bo\nbad@@x,,C\n",
            [("Anna",), ("Bo",)],
        ),
    ],
)
async def test_unique_fields(api: Api, imports: Any, unique: str, file: str, people: list[Any]) -> None:
    done = await imports.load(file, options={"unique": unique})
    assert done["status"] == "finished", done
    assert done["progress"]["errors"] == 1
    assert await api.rows("select first_name from contact where org_id = %(org_id)s order by 1") == people


async def test_an_additional_field_can_be_the_unique_one(api: Api, imports: Any) -> None:
    ((level,),) = await api.rows("select field_id from field where org_id = %(org_id)s and key = 'LEVEL'")
    await add(api, "a@example.com", fields=[{"id": level, "value": "card-1"}])
    file = "level,first name\ncard-1,Anna\n"
    done = await imports.load(file, options={"unique": f"fields.{level}"})
    assert counts(done) == {"total": 1, "done": 1, "updated": 1}
    assert await api.rows(PEOPLE) == [("a@example.com", "Anna", None)]


async def test_deleted_people_come_back_only_when_that_is_wanted(api: Api, imports: Any) -> None:
    contact_id = await add(api, "a@example.com")
    await api.delete(f"/api/v4/contacts/{contact_id}")
    done = await imports.load("email\na@example.com\n")
    assert counts(done) == {"total": 1, "done": 1, "skipped": 1}
    (line,) = await imports.report(done["import_id"])
    assert (line["line"], line["level"]) == ("2", "skipped")
    assert await api.rows(PEOPLE) == []
    done = await imports.load("email\na@example.com\n", options={"restore_deleted": True})
    assert counts(done) == {"total": 1, "done": 1, "updated": 1}
    assert await api.rows(PEOPLE) == [("a@example.com", None, None)]


@pytest.mark.parametrize("consent", [True, False])
async def test_consent_confirms_new_emails(api: Api, imports: Any, consent: bool) -> None:
    await imports.load("email\na@example.com\n", options={"consent": consent})
    confirmed = "select confirmed from address where org_id = %(org_id)s"
    assert await api.rows(confirmed) == [(consent,)]


async def test_suppressed_addresses_stay_so(api: Api, imports: Any) -> None:
    await api.post("/api/v1/emails/unsubscribed/add", {"emails": ["a@example.com"]})
    await imports.load("email\na@example.com\n")
    assert await api.rows(
        "select unsubscribed_at is not null from address where org_id = %(org_id)s and value = 'a@example.com'"
    ) == [(True,)]


async def test_lists_by_name_and_id(api: Api, imports: Any) -> None:
    await api.post(
        "/api/v1/contact",
        {"channels": [{"type": "email", "value": "x@example.com"}], "groups": [{"name": "Old"}]},
    )
    ((old,),) = await api.rows("select segment_id from segment where org_id = %(org_id)s")
    done = await imports.load("email\na@example.com\n", options={"lists": ["New"], "list_ids": [old]})
    assert done["status"] == "finished"
    assert await api.rows(
        "select s.name, count(*) from segment s join segment_member m on m.org_id = s.org_id"
        " and m.segment_id = s.segment_id where s.org_id = %(org_id)s group by 1 order by 1"
    ) == [("New", 1), ("Old", 2)]


async def test_an_event_needs_somebody_new(api: Api, imports: Any) -> None:
    await add(api, "a@example.com")
    await imports.load("email\na@example.com\n", options={"event": "Imported"})
    assert await api.rows("select from event where org_id = %(org_id)s") == []


@pytest.mark.parametrize(
    ("plan", "field"),
    [
        ({"columns": [{"column": 9, "target": "email"}]}, "columns[0].column"),
        ({"columns": [{"column": "none", "target": "email"}]}, "columns[0].column"),
        ({"columns": [{"column": 0, "target": "shoe"}]}, "columns[0].target"),
        (
            {"columns": [{"column": 0, "target": "email"}, {"column": 1, "target": "email"}]},
            "columns[1].target",
        ),
        (
            {"columns": [{"column": 0, "target": "email"}, {"column": 0, "target": "town"}]},
            "columns[1].column",
        ),
        ({"options": {"unique": "phone"}}, "options.unique"),
        ({"options": {"unique": "shoe"}}, "options.unique"),
        ({"options": {"list_ids": [5]}}, "options.list_ids"),
        ({"options": {"new_list_id": 5}}, "options.new_list_id"),
        ({"options": {"event": ""}}, "options.event"),
        ({"options": {"nonsense": 5}}, "options"),
        ({"dates": "dym"}, "dates"),
    ],
)
async def test_plans_that_cannot_be(api: Api, imports: Any, plan: dict[str, Any], field: str) -> None:
    looked = await imports.upload("email,city\na@example.com,Kyiv\n")
    answer = await api.post(f"/api/v4/imports/{looked['import_id']}/start", plan)
    assert answer.status_code == 400
    assert answer.json()["field"] == field
    assert (await imports.get(looked["import_id"]))["status"] == "ready"
    assert await api.rows("select from segment where org_id = %(org_id)s") == []


async def test_an_upload_as_a_form(api: Api, imports: Any) -> None:
    files = {"note": (None, "hello"), "file": ("people.csv", b"email\na@example.com\n", "text/csv")}
    answer = await api.post("/api/v4/imports", files=files)
    assert answer.status_code == 201, answer.text
    assert answer.json()["name"] == "people.csv"
    assert counts(await imports.run(answer.json()["import_id"])) == {"total": 1, "done": 1, "created": 1}
    answer = await api.post("/api/v4/imports", files={"note": (None, "hello")})
    assert answer.status_code == 400


async def test_an_upload_in_many_pieces(api: Api, imports: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perigee.imports.spool.PIECE", 7)
    done = await imports.load(
        "email,city\n" + "".join(f"p{number}@example.com,Kyiv\n" for number in range(20))
    )
    assert counts(done) == {"total": 20, "done": 20, "created": 20}


async def test_uploads_that_are_refused_leave_nothing(api: Api) -> None:
    for body, status in ((b"", 400), (b"x" * (1 << 20) + b"x", 413), (b"\xd0\xcf\x11\xe0", 400)):
        assert (await api.post("/api/v4/imports", content=body)).status_code == status
    assert (await api.post("/api/v4/imports?kind=shoes", content=b"a")).status_code == 400
    for table in ("file_import", "import_chunk"):
        assert await api.rows(f"select from {table} where org_id = %(org_id)s") == []


async def test_a_cancelled_import_forgets_its_file(api: Api, imports: Any) -> None:
    import_id = (await imports.upload("email\na@example.com\n"))["import_id"]
    path = f"/api/v4/imports/{import_id}"
    assert (await api.post(path + "/start", {})).json()["status"] == "queued"
    assert (await api.post(path + "/cancel")).json()["status"] == "cancelled"
    await api.run_jobs()
    assert await api.rows(PEOPLE) == []
    assert await api.rows("select from import_chunk where org_id = %(org_id)s") == []
    for method in ("cancel", "start", "preview"):
        assert (await api.post(f"{path}/{method}", {})).status_code == 409


async def test_a_running_import_stops_at_its_step(
    api: Api, imports: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "STEP", 2)
    import_id = await _queued(api, imports, 10)
    real = runs._apply

    async def cancelling(conn: Any, org_id: int, items: Any) -> Any:
        if items[0].block.position == 4:
            async with api.db.transaction() as other:
                await store.end(other, org_id, import_id, "cancelled")
        return await real(conn, org_id, items)

    monkeypatch.setattr(runs, "_apply", cancelling)
    await run_import(api.db, api.org_id, import_id)
    done = await imports.get(import_id)
    assert (done["status"], done["progress"]["done"], done["progress"]["created"]) == ("cancelled", 4, 4)
    assert len(await api.rows(PEOPLE)) == 4


async def test_an_import_goes_on_where_a_worker_died(
    api: Api, imports: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counts stay exact: a repeat of a row before the crash is still known as one."""
    monkeypatch.setattr(runs, "STEP", 3)
    import_id = await _queued(api, imports, 10, repeats=2)
    real = runs._apply

    async def dying(conn: Any, org_id: int, items: Any) -> Any:
        applied = await real(conn, org_id, items)
        if items[0].block.position == 6:
            raise RuntimeError("killed before the commit")
        return applied

    monkeypatch.setattr(runs, "_apply", dying)
    with pytest.raises(RuntimeError):
        await run_import(api.db, api.org_id, import_id)
    assert (await imports.get(import_id))["progress"]["done"] == 6
    monkeypatch.setattr(runs, "_apply", real)
    await asyncio.gather(*(run_import(api.db, api.org_id, import_id) for _ in range(2)))
    done = await imports.get(import_id)
    assert done["status"] == "finished"
    assert counts(done) == {"total": 12, "done": 12, "created": 10, "duplicates": 2}
    await run_import(api.db, api.org_id, import_id)
    assert counts(await imports.get(import_id)) == counts(done)


async def _queued(api: Api, imports: Any, people: int, *, repeats: int = 0) -> int:
    numbers = [*range(people), *range(repeats)]
    looked = await imports.upload("email\n" + "".join(f"p{number}@example.com\n" for number in numbers))
    answer = await api.post(f"/api/v4/imports/{looked['import_id']}/start", {})
    assert answer.status_code == 200, answer.text
    return int(looked["import_id"])


async def test_a_file_that_breaks_midway_is_refused_before_its_first_row(api: Api, imports: Any) -> None:
    done = await imports.load("email\n" + "a@example.com\n" * 200 + '"' + "x" * 200_000)
    assert done["status"] == "failed"
    assert done["reason"].startswith("file: line 202 is not CSV")
    assert await api.rows(PEOPLE) == []


async def test_the_report_is_safe_to_open(api: Api, imports: Any) -> None:
    done = await imports.load('email,first name\n"=cmd|x@@",Anna\n')
    answer = await api.get(f"/api/v4/imports/{done['import_id']}/report")
    assert answer.content.decode("utf-8-sig").splitlines() == [
        "line,level,column,value,rule",
        "2,error,email,'=cmd|x@@,is not valid email",
    ]


async def test_schemes_are_saved_matched_and_used(api: Api, imports: Any) -> None:
    file = "Mail of the person,Called\na@example.com,Anna\n"
    columns = [{"column": 0, "target": "email"}, {"column": "called", "target": "first_name"}]
    looked = await imports.upload(file)
    await imports.run(looked["import_id"], columns=columns, save_scheme="Shop", options={"lists": ["L"]})
    (scheme,) = (await api.get("/api/v4/import-schemes?kind=contacts")).json()["items"]
    assert scheme["plan"]["columns"] == [
        {"column": "Mail of the person", "target": "email"},
        {"column": "Called", "target": "first_name"},
    ]
    assert scheme["plan"]["options"] == {"lists": ["L"]}

    other = await imports.upload("Called,shoe,Mail of the person\nBo,42,b@example.com\n")
    assert other["scheme"] == scheme
    await imports.run(other["import_id"], scheme_id=scheme["scheme_id"])
    assert await api.rows(PEOPLE) == [("a@example.com", "Anna", None), ("b@example.com", "Bo", None)]
    assert "scheme" not in await imports.upload("Called,email\nBo,b@example.com\n")

    third = (await imports.upload(file))["import_id"]
    answer = await api.post(f"/api/v4/imports/{third}/start", {"columns": columns, "save_scheme": "Shop"})
    assert answer.status_code == 409
    assert (await imports.get(third))["status"] == "ready"

    path = f"/api/v4/import-schemes/{scheme['scheme_id']}"
    body = {"name": "Other", "plan": scheme["plan"]}
    assert (await api.post("/api/v4/import-schemes", {**body, "name": "Shop"})).status_code == 409
    assert (await api.put(path, body)).json()["name"] == "Other"
    assert (await api.put(path, {**body, "plan": {}})).status_code == 400
    assert (await api.delete(path)).status_code == 204
    assert (await api.get(path)).status_code == 404


async def test_the_history_has_the_newest_first(api: Api, imports: Any) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        await imports.upload("email\na@example.com\n", name)
    first = (await api.get("/api/v4/imports?limit=2")).json()
    assert [one["name"] for one in first["items"]] == ["c.csv", "b.csv"]
    second = (await api.get(f"/api/v4/imports?limit=2&cursor={first['next']}")).json()
    assert [one["name"] for one in second["items"]] == ["a.csv"]
    assert "next" not in second


async def test_old_files_and_reports_are_forgotten(api: Api, imports: Any) -> None:
    waiting = (await imports.upload("email\na@example.com\n"))["import_id"]
    done = (await imports.load("email\nbad@@x\n"))["import_id"]
    await api.rows(
        "update file_import set touched_at = touched_at - interval '25 hours',"
        " finished_at = finished_at - interval '31 days' where org_id = %(org_id)s"
    )
    async with api.db.transaction() as conn:
        await store.prune(conn)
    assert (await imports.get(waiting))["status"] == "cancelled"
    assert await imports.report(done) == []
    assert await api.rows("select from import_chunk where org_id = %(org_id)s") == []


async def test_plans_are_stored_without_signs_that_cannot_be(api: Api, imports: Any) -> None:
    nul = "a\0b"
    columns = [{"column": 0, "target": "email"}]
    made = await api.post(
        "/api/v4/import-schemes", {"name": nul, "plan": {"columns": [{"column": nul, "target": "email"}]}}
    )
    assert made.status_code == 201
    assert made.json()["name"] == "ab"
    looked = await imports.upload("email\na@example.com\n")
    path = f"/api/v4/imports/{looked['import_id']}/start"
    for plan in ({"options": {nul: 1}}, {"columns": [{"column": nul, "target": nul}]}):
        assert (await api.post(path, plan)).status_code == 400, plan
    done = await imports.run(
        looked["import_id"], columns=columns, save_scheme=nul + "2", options={"lists": [nul]}
    )
    assert done["status"] == "finished"
