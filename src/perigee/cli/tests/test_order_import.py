"""`perigee orders import` against a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from perigee.cli.order_import import import_file
from perigee.cli.remote import Server
from perigee.cli.tests.importing import exit_code
from perigee.errors import OperatorError
from perigee.testing.api import Api

FILE = """Bestellung;Date;E-mail;State;Total
B-1;04.05.2025;anna@example.com;bezahlt;1 259,90
B-2;05.05.2025;bo@example.com;new;7,5
B-3;31.02.2025;anna@example.com;new;1
"""


async def run(api: Api, host: str, path: Path, **options: Any) -> Any:
    """Its exit code."""
    options |= {"server": Server(host, api.key), "map_to": ["Bestellung=order_id"]}
    return await exit_code(api, lambda: import_file(path, **options))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(FILE)
    return path


async def test_orders_of_a_file_by_command(
    api: Api, host: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await api.post("/api/v1/contact", {"channels": [{"type": "email", "value": "anna@example.com"}]})
    report = file.with_name("report.csv")
    code = await run(api, host, file, status_word=["bezahlt=DELIVERED"], currency="EUR", report=report)
    assert code == 3
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "2 rows imported: 2 new, 0 updated, 1 row refused, 1 value left out"
    assert "line 3, E-mail: bo@example.com there is no such contact" in shown[1]
    assert "line 4, Date: 31.02.2025 is not a date" in shown[2]
    assert shown[3] == f"The report: {report}"
    stored = "select external_order_id, status, total::text, currency from orders where org_id = %(org_id)s order by 1"
    assert await api.rows(stored) == [
        ("B-1", "DELIVERED", "1259.9000", "EUR"),
        ("B-2", "INITIALIZED", "7.5000", "EUR"),
    ]


async def test_a_preview_saves_nothing(
    api: Api, host: str, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(api, host, file, preview=True) == 0
    assert "refused" in capsys.readouterr().out
    assert await api.rows("select 1 from orders where org_id = %(org_id)s") == []


def test_a_word_without_its_status_is_refused(file: Path) -> None:
    with pytest.raises(OperatorError, match="WORD=STATUS"):
        import_file(file, status_word=["paid"])
