"""Settings: precedence, files, refusals that name variable, value and rule."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from perigee.settings import Settings, SettingsError, options, unknown_variables


def load(home: Path, **variables: str) -> Settings:
    return Settings.load({"PERIGEE_HOME": str(home), **variables})


def test_defaults_need_nothing(tmp_path: Path) -> None:
    settings = load(tmp_path)
    assert (settings.home, settings.port, settings.database_url) == (tmp_path, 8025, None)
    assert settings.public_url == "http://127.0.0.1:8025"


def test_the_public_url_follows_the_port(tmp_path: Path) -> None:
    assert load(tmp_path, PERIGEE_PORT="9000").public_url == "http://127.0.0.1:9000"


def test_environment_beats_secret_file_beats_settings_file(tmp_path: Path) -> None:
    (tmp_path / "perigee.toml").write_text('port = 1000\nhost = "::1"\nlog_level = "debug"\n')
    (tmp_path / "port").write_text("2000\n")
    from_file = load(tmp_path)
    assert (from_file.port, from_file.host, from_file.log_level) == (1000, "::1", "debug")
    assert load(tmp_path, PERIGEE_PORT_FILE=str(tmp_path / "port")).port == 2000
    assert load(tmp_path, PERIGEE_PORT_FILE=str(tmp_path / "port"), PERIGEE_PORT="3000").port == 3000


def test_an_empty_variable_is_an_absent_one(tmp_path: Path) -> None:
    assert load(tmp_path, PERIGEE_PORT="", PERIGEE_DATABASE_URL="").port == 8025


def test_the_settings_file_can_be_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("port = 1234")
    assert load(tmp_path / "home", PERIGEE_CONFIG=str(tmp_path / "mine.toml")).port == 1234


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"PERIGEE_PORT": "http"}, "PERIGEE_PORT='http' must be a whole number"),
        ({"PERIGEE_PORT": "70000"}, "PERIGEE_PORT=70000 must be from 1 to 65535"),
        (
            {"PERIGEE_LOG_LEVEL": "loud"},
            "PERIGEE_LOG_LEVEL='loud' must be one of debug, info, warning, error",
        ),
        ({"PERIGEE_PUBLIC_URL": "shop.example"}, "PERIGEE_PUBLIC_URL='shop.example' must be http(s)://"),
        ({"PERIGEE_PUBLIC_URL": "https://a.example/"}, "without a slash at the end"),
        ({"PERIGEE_SECRET_KEY": "short"}, "PERIGEE_SECRET_KEY=******** must have 32 characters"),
        (
            {"PERIGEE_SECRET_KEY_FILE": "/nowhere/key"},
            "PERIGEE_SECRET_KEY_FILE='/nowhere/key' cannot be read",
        ),
        ({"PERIGEE_CONFIG": "/nowhere/c.toml"}, "PERIGEE_CONFIG='/nowhere/c.toml' does not exist"),
    ],
)
def test_a_refusal_names_variable_value_and_rule(
    tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, **variables)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prot = 80", "unknown setting 'prot'"),
        ("port = ", "perigee.toml: Invalid value"),
        ("port = true", "port must be text or a whole number"),
        ("[port]", "port must be text or a whole number"),
        ("port = 0", "PERIGEE_PORT=0 must be from 1 to 65535"),
    ],
)
def test_a_wrong_settings_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "perigee.toml").write_text(text)
    with pytest.raises(SettingsError) as refused:
        load(tmp_path)
    assert said in str(refused.value)


def test_a_secret_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError, match="cannot be read: not UTF-8 text"):
        load(tmp_path, PERIGEE_SECRET_KEY_FILE=str(tmp_path / "key"))


def test_secrets_are_masked_when_shown(tmp_path: Path) -> None:
    secret = "s" * 40
    shown = load(tmp_path, PERIGEE_SECRET_KEY=secret, PERIGEE_DATABASE_URL="postgresql://u:pw@h/d").masked()
    assert (shown["secret_key"], shown["database_url"]) == ("********", "********")
    assert secret not in str(shown)


def test_a_child_gets_the_same_settings_without_the_secrets(tmp_path: Path) -> None:
    settings = load(tmp_path, PERIGEE_PORT="9000", PERIGEE_SECRET_KEY="s" * 40)
    environment = settings.as_environment()
    assert "s" * 40 not in environment.values()
    assert dataclasses.replace(settings, secret_key=None) == Settings.load(environment)


def test_every_option_is_explained() -> None:
    assert all(option.doc.endswith(".") for option in options())


def test_slips_of_the_pen_are_found() -> None:
    environment = {"PERIGEE_PROT": "1", "PERIGEE_PORT": "1", "PERIGEE_SECRET_KEY_FILE": "x", "HOME": "/"}
    assert unknown_variables(environment) == ["PERIGEE_PROT"]
