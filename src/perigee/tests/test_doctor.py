"""The doctor: each finding is one line, and says what to do when something is wrong."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from perigee import doctor
from perigee.db.embedded import EmbeddedServer
from perigee.db.migrate import migrate
from perigee.db.tuning import GB, MB
from perigee.doctor import FAIL, OK, WARN
from perigee.home import alone
from perigee.settings import Settings
from perigee.testing.ports import free_port


def load(home: Path, **variables: str) -> Settings:
    return Settings.load({"PERIGEE_HOME": str(home), **variables})


@pytest.fixture
def taken() -> Iterator[socket.socket]:
    listener = socket.create_server(("127.0.0.1", 0))
    yield listener
    listener.close()


def test_a_fresh_machine_has_nothing_that_fails(tmp_path: Path) -> None:
    settings = load(tmp_path / "home", PERIGEE_PORT=str(free_port()))
    findings = doctor.check_everything(settings)
    assert not [finding for finding in findings if finding.level == FAIL]
    assert {"python", "home", "disk", "memory", "port", "public_url", "secret_key", "database"} <= {
        finding.subject for finding in findings
    }
    assert not (tmp_path / "home").exists()  # changes nothing


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written_fails(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert doctor.home(tmp_path / "home").level == FAIL


@pytest.mark.parametrize(("free", "level"), [(100 * MB, FAIL), (2 * GB, WARN), (50 * GB, OK)])
def test_disk_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: str) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    assert doctor.disk(tmp_path).level == level


@pytest.mark.parametrize(("total", "level"), [(512 * MB, WARN), (8 * GB, OK)])
def test_memory(total: int, level: str) -> None:
    assert doctor.memory(total).level == level


def test_a_taken_port_fails_unless_it_is_ours(tmp_path: Path, taken: socket.socket) -> None:
    settings = load(tmp_path, PERIGEE_PORT=str(taken.getsockname()[1]))
    finding = doctor.port(settings)
    assert finding.level == FAIL
    assert "is taken" in finding.said
    assert "PERIGEE_PORT" in finding.said
    with alone(tmp_path):
        assert doctor.port(settings).level == OK


@pytest.mark.parametrize(
    ("url", "level"),
    [
        ("http://127.0.0.1:8025", WARN),
        ("http://localhost", WARN),
        ("http://mail.shop.example", WARN),
        ("https://mail.shop.example", OK),
        ("https://", FAIL),
    ],
)
def test_the_public_url(url: str, level: str) -> None:
    assert doctor.public_url(url).level == level


def test_a_secret_key_that_others_can_read_is_warned_of(tmp_path: Path) -> None:
    path = tmp_path / "secret_key"
    assert doctor.secret_key(load(tmp_path)).level == OK
    path.write_text("k" * 40)
    path.chmod(0o644)
    finding = doctor.secret_key(load(tmp_path))
    assert (finding.level, f"chmod 600 {path}" in finding.said) == (WARN, True)
    path.chmod(0o600)
    assert doctor.secret_key(load(tmp_path)).level == OK


def test_unknown_variables_are_warned_of() -> None:
    (finding,) = doctor.slips({"PERIGEE_PROT": "1"})
    assert (finding.level, finding.said.split()[0]) == (WARN, "PERIGEE_PROT")


def test_a_database_that_is_migrated_is_fine(tmp_path: Path, database_url: str) -> None:
    findings = list(doctor.database(load(tmp_path, PERIGEE_DATABASE_URL=database_url)))
    assert [finding.level for finding in findings] == [OK, OK]
    assert "PostgreSQL 18" in findings[0].said


def test_a_database_that_is_away_fails_with_the_reason(tmp_path: Path) -> None:
    (finding,) = doctor.database(load(tmp_path, PERIGEE_DATABASE_URL="postgresql://127.0.0.1:1/x"))
    assert finding.level == FAIL
    assert "Connection refused" in finding.said
    assert "\n" not in finding.said


def test_the_embedded_database_is_told_as_it_is(server_home: Path) -> None:
    settings = load(server_home)
    (finding,) = doctor.database(settings)
    assert finding.said == "embedded, will be made at the first start"
    server = EmbeddedServer(server_home)
    url = server.start()
    assert [finding.level for finding in doctor.database(settings)] == [OK, WARN]
    migrate(url)
    assert [finding.level for finding in doctor.database(settings)] == [OK, OK]
    server.stop()
    (finding,) = doctor.database(settings)
    assert finding.said == "embedded, does not run"
