"""The demo's home: made anew, and never somebody else's folder."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path

import pytest

from perigee.demo.home import HOST, USUAL_PORT, free_port, fresh_home, settle
from perigee.errors import OperatorError
from perigee.home import alone


def test_a_second_run_starts_from_scratch(tmp_path: Path) -> None:
    home = tmp_path / "installation" / "demo"
    assert fresh_home(home) is False
    (home / "something").write_text("of the first run")
    assert fresh_home(home) is True
    assert not (home / "something").exists()


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    assert fresh_home(tmp_path) is False
    assert fresh_home(tmp_path) is True  # it is a demo's now


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(OperatorError, match="was not made by a demo"):
        fresh_home(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "demo").write_text("a file")
    with pytest.raises(OperatorError, match="was not made by a demo"):
        fresh_home(tmp_path / "demo")


def test_a_running_demo_is_left_alone(tmp_path: Path) -> None:
    home = tmp_path / "demo"
    fresh_home(home)
    with alone(home), pytest.raises(OperatorError, match="runs already"):
        fresh_home(home)


def test_its_settings_are_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERIGEE_DATABASE_URL", "postgresql://real")
    settings = settle(tmp_path, 9999, log_level="warning")
    assert settings.database_url is None
    assert (settings.home, settings.port, settings.public_url) == (tmp_path, 9999, "http://127.0.0.1:9999")


def test_another_port_when_the_usual_one_is_taken() -> None:
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):  # somebody else has it: just as well
            stack.enter_context(socket.create_server((HOST, USUAL_PORT)))
        assert free_port() != USUAL_PORT
