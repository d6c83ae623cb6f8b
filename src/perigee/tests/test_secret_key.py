"""The secret key: made once, private, never made by accident."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from perigee.secret_key import with_secret_key
from perigee.settings import Settings, SettingsError


def load(home: Path, **variables: str) -> Settings:
    return Settings.load({"PERIGEE_HOME": str(home), **variables})


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    settings = load(tmp_path / "home")
    first = with_secret_key(settings, create=True)
    path = tmp_path / "home" / "secret_key"
    assert first.secret_key == path.read_text().strip()
    assert path.stat().st_mode & 0o777 == 0o600
    assert with_secret_key(settings, create=False) == first
    assert [p.name for p in path.parent.iterdir()] == ["secret_key"]


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    settings = load(tmp_path)
    with ThreadPoolExecutor(8) as starters:
        made = list(starters.map(lambda _: with_secret_key(settings, create=True).secret_key, range(8)))
    assert len(set(made)) == 1


def test_a_set_key_is_left_alone(tmp_path: Path) -> None:
    settings = load(tmp_path, PERIGEE_SECRET_KEY="k" * 32)
    assert with_secret_key(settings, create=True) is settings
    assert not (tmp_path / "secret_key").exists()


def test_a_missing_key_is_not_made_by_a_part_alone(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="`perigee up` makes one"):
        with_secret_key(load(tmp_path), create=False)


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("abc\n")
    with pytest.raises(SettingsError, match="must have 32 characters"):
        with_secret_key(load(tmp_path), create=False)
