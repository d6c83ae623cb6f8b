"""Journey J2 (product 16): a file of 5,000 people, some of them wrong, repeated or known."""

from __future__ import annotations

from typing import Any

from perigee.testing.api import Api

ROWS = 5000


def people() -> str:
    """Lines 2 to 5001: 10 bad emails, 20 bad dates, 50 repeats of other lines, 5 known people with blank towns."""
    lines = ["E-mail;Имя;Date of birth;City;Comment"]
    for number in range(ROWS):
        email, day, town = f"p{number}@example.com", "08.03.1990", "Kyiv"
        name = "Berta" if number >= ROWS - 50 else "Anna"
        if number < 10:
            email = f"p{number}@@example"
        elif number < 30:
            day = "31.02.1990"
        elif number < 35:
            email, town = f"known{number - 30}@example.com", ""
        elif number >= ROWS - 50:
            email = f"P{number - 1000}@Example.com"
        lines.append(f"{email};{name};{day};{town};nothing")
    return "\n".join(lines)


async def test_import_of_contacts(api: Api, imports: Any) -> None:
    for number in range(5):
        body = {
            "firstName": "Old",
            "address": {"town": "Lviv"},
            "channels": [{"type": "email", "value": f"known{number}@example.com"}],
        }
        assert (await api.post("/api/v1/contact", body)).status_code == 200
    ((birthday,),) = await api.rows(
        "select field_id from field where org_id = %(org_id)s and key = 'BIRTHDAY'"
    )

    looked = await imports.upload(people(), "spring.csv")
    assert [column.get("target") for column in looked["columns"]] == [
        "email",
        "first_name",
        f"fields.{birthday}",
        "town",
        None,
    ]
    tried = await imports.preview(looked["import_id"])
    assert [row["kept"] for row in tried["rows"]] == [False] * 10 + [True] * 90
    assert tried["rows"][0]["problems"][0]["level"] == "error"
    assert tried["rows"][10]["problems"] == [
        {
            "level": "warning",
            "column": 2,
            "rule": "is not a date like 2025-03-08, 08.03.2025 or 08/03/2025",
        }
    ]

    done = await imports.run(
        looked["import_id"], options={"unique": "email", "lists": ["Spring"], "event": "Imported"}
    )
    assert done["status"] == "finished"
    progress = done["progress"]
    del progress["rate"]
    assert progress == {
        "total": ROWS,
        "done": ROWS,
        "created": 4935,
        "updated": 5,
        "duplicates": 50,
        "skipped": 0,
        "errors": 10,
        "warnings": 20,
    }
    report = await imports.report(looked["import_id"])
    assert [row["level"] for row in report] == ["error"] * 10 + ["warning"] * 20
    assert [row["line"] for row in report] == [str(line) for line in range(2, 32)]
    assert report[0]["value"] == "p0@@example"
    assert report[10]["column"] == "Date of birth"

    saved = "select count(*), count(fields -> %(field)s) from contact where org_id = %(org_id)s"
    assert await api.rows(saved, field=str(birthday)) == [(4940, 4920)]
    assert await api.rows(
        "select count(*) from segment s join segment_member m on m.org_id = s.org_id"
        " and m.segment_id = s.segment_id where s.org_id = %(org_id)s and s.name = 'Spring'"
    ) == [(4940,)]
    assert await api.rows(
        "select first_name, town from contact where org_id = %(org_id)s and email = 'known0@example.com'"
    ) == [("Anna", "Lviv")]
    # Of repeats the last one counts.
    assert await api.rows(
        "select first_name from contact where org_id = %(org_id)s and email = 'p3950@example.com'"
    ) == [("Berta",)]
    ((params, contact_id),) = await api.rows("select params, contact_id from event where org_id = %(org_id)s")
    assert contact_id is None
    assert params["contacts"] == 4935
    assert await api.rows(
        "select count(*) from segment_member where org_id = %(org_id)s and segment_id = %(id)s",
        id=params["segmentId"],
    ) == [(4935,)]
    assert await api.rows("select count(*) from import_chunk where org_id = %(org_id)s") == [(0,)]
