"""`perigee contacts import` against a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from perigee.cli.contact_import import import_file
from perigee.cli.remote import Server
from perigee.cli.tests.importing import exit_code
from perigee.errors import OperatorError
from perigee.testing.api import Api

FILE = (
    "Mail address;Vorname;bonus points\nanna@example.com;Anna;5\nbad@@example;Bo;6\ncy@example.com;Cy;lots\n"
)


async def run(api: Api, host: str, path: Path, **options: Any) -> Any:
    """Its exit code."""
    server = Server(host, api.key, json=options.pop("json", False))
    return await exit_code(api, lambda: import_file(path, server=server, **options))


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(FILE)
    return path


@pytest.fixture
def again(tmp_path: Path) -> Path:
    path = tmp_path / "again.csv"
    path.write_text("Mail address;Vorname;bonus points\nanna@example.com;Anneli;7\n")
    return path


async def test_a_file_is_imported_and_the_rest_reported(
    api: Api, host: str, people: Path, again: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ((bonus,),) = await api.rows("select field_id from field where org_id = %(org_id)s and key = 'BONUS'")
    code = await run(
        api,
        host,
        people,
        to_list=["Shop"],
        map_to=["Vorname=first_name", f"3=fields.{bonus}"],
        report=people.with_name("report.csv"),
        save_scheme="German",
    )
    assert code == 3
    assert capsys.readouterr().out.splitlines() == [
        "2 people imported: 2 new, 0 updated, 1 row refused, 1 value left out",
        "  line 3, Mail address: bad@@example is not valid email",
        "  line 4, bonus points: lots is not a whole number",
        f"The report: {people.with_name('report.csv')}",
    ]
    saved = "select email, first_name, fields ->> %(bonus)s from contact where org_id = %(org_id)s order by 1"
    assert await api.rows(saved, bonus=str(bonus)) == [
        ("anna@example.com", "Anna", "5"),
        ("cy@example.com", "Cy", None),
    ]
    assert await run(api, host, again, scheme="German") == 0
    assert (await api.rows(saved, bonus=str(bonus)))[0] == ("anna@example.com", "Anneli", "7")


async def test_a_preview_saves_nothing(
    api: Api, host: str, people: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run(api, host, people, preview=True, json=True)
    told = capsys.readouterr()
    assert [row["kept"] for row in json.loads(told.out)["rows"]] == [True, False, True]
    assert told.err == "perigee: columns without a meaning: Vorname, bonus points\n"
    await run(api, host, people, preview=True)
    assert "refused: is not valid email" in " ".join(capsys.readouterr().out.split())
    assert await api.rows("select status from file_import where org_id = %(org_id)s") == [("cancelled",)] * 2
    assert await api.rows("select from contact where org_id = %(org_id)s") == []


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"map_to": ["Vorname"]}, "is not HEADING=TARGET"),
        ({"map_to": ["Shoe=town"]}, "no such column"),
        ({"scheme": "None"}, "there is no scheme 'None'"),
    ],
)
async def test_what_the_file_has_not(
    api: Api, host: str, people: Path, options: dict[str, Any], line: str
) -> None:
    with pytest.raises(OperatorError, match=line):
        await run(api, host, people, **options)
