"""Where the user commands find the server and the key."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from perigee.cli.remote import Server, connected, remember
from perigee.errors import OperatorError

URL = "http://127.0.0.1:8025"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PERIGEE_HOME", str(tmp_path))
    monkeypatch.delenv("PERIGEE_URL", raising=False)
    monkeypatch.delenv("PERIGEE_API_KEY", raising=False)
    return tmp_path


def whereabouts(server: Server) -> str:
    with connected(server) as client:
        return client.transport.url


def test_what_the_first_start_noted_is_enough(home: Path) -> None:
    remember(home, URL, 'a "key"')
    assert whereabouts(Server()) == URL
    assert stat.S_IMODE((home / "cli.toml").stat().st_mode) == 0o600


def test_a_later_start_notes_its_address_and_keeps_the_key(home: Path) -> None:
    remember(home, URL, "a key")
    remember(home, "http://127.0.0.1:9000", None)
    assert whereabouts(Server()) == "http://127.0.0.1:9000"


def test_nothing_is_noted_without_a_key(home: Path) -> None:
    remember(home, URL, None)
    assert not (home / "cli.toml").exists()


def test_options_go_before_the_environment_and_that_before_the_note(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember(home, URL, "noted")
    monkeypatch.setenv("PERIGEE_URL", "http://environment.example.com")
    monkeypatch.setenv("PERIGEE_API_KEY", "k")
    assert whereabouts(Server()) == "http://environment.example.com"
    assert whereabouts(Server(url="http://option.example.com")) == "http://option.example.com"


def test_the_noted_key_goes_to_the_noted_address_only(home: Path) -> None:
    remember(home, URL, "noted")
    with pytest.raises(OperatorError, match="no API key for http://elsewhere"):
        whereabouts(Server(url="http://elsewhere.example.com"))


def test_no_server_is_known(home: Path) -> None:
    with pytest.raises(OperatorError, match="no server is known"):
        whereabouts(Server())


def test_an_unreadable_note_is_said(home: Path) -> None:
    (home / "cli.toml").write_text("url = ")
    with pytest.raises(OperatorError, match=r"cli\.toml cannot be read"):
        whereabouts(Server())
