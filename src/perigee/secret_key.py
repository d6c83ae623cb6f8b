"""The installation's secret key, kept in a file of its own when the settings hold none."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import secrets
from pathlib import Path

from perigee.home import make_home
from perigee.settings import Settings, SettingsError, long_enough_key


def secret_key_path(settings: Settings) -> Path:
    return settings.home / "secret_key"


def with_secret_key(settings: Settings, *, create: bool) -> Settings:
    """Settings whose `secret_key` is filled in: as set, else from `<home>/secret_key`.

    `create` makes that file (mode 0600) when there is none; without it a missing key is a `SettingsError`,
    because a second host that makes its own key could not read what the first one signed and sealed.
    """
    if settings.secret_key:
        return settings
    path = secret_key_path(settings)
    if create and not path.exists():
        _make_secret_key(path)
    try:
        key = path.read_text().strip()
    except FileNotFoundError:
        raise SettingsError(
            f"no secret key: {path} does not exist and PERIGEE_SECRET_KEY is not set. `perigee up` makes one at "
            "its first start; on another host set the same key"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"secret key {path} cannot be read: {error}") from None
    if broken := long_enough_key(key):
        raise SettingsError(f"secret key {path} {broken}")
    return dataclasses.replace(settings, secret_key=key)


def _make_secret_key(path: Path) -> None:
    """Whole or not at all, and the first of two processes wins."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    try:
        make_home(path.parent)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    except OSError as error:
        raise SettingsError(f"secret key {path} cannot be made: {error.strerror}") from None
    finally:
        fresh.unlink(missing_ok=True)
