"""The schema that the migrations arrive at, as one text to read: `schema.sql` beside this module.

A test compares the file with what the migrations make, so a review sees both.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

import psycopg

from perigee.db.binaries import wheel_binaries
from perigee.db.embedded import EmbeddedServer
from perigee.db.migrate import migrate
from perigee.errors import OperatorError

SCHEMA_FILE = Path(__file__).with_name("schema.sql")

_HEAD = "-- What the migrations arrive at. Written by `perigee db schema --write`; do not edit.\n"
_NOISE = re.compile(
    r"^(?:--.*|SET .*|SELECT pg_catalog\..*|COMMENT ON SCHEMA .*|\\(?:un)?restrict .*)$", re.MULTILINE
)


def current_schema() -> str:
    """Migrates an empty database of a server made for it, and describes that."""
    with tempfile.TemporaryDirectory(prefix="perigee-schema-") as home:
        Path(home).chmod(0o711)
        server = EmbeddedServer(Path(home), options={"fsync": "off", "shared_buffers": "64MB"})
        try:
            return described(server.start())
        finally:
            server.remove()


def described(url: str) -> str:
    """The text for the empty database at `url`, which is migrated (without the job queue's tables)."""
    migrate(url, queue=False)
    command = [
        *(str(wheel_binaries().program("pg_dump")), "--schema-only", "--no-owner", "--no-privileges"),
        *("--exclude-table=_yoyo*", "--exclude-table=yoyo_lock", url),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise OperatorError(f"pg_dump failed: {done.stderr.strip()}")
    return _HEAD + "\n" + normalised(done.stdout)


def normalised(dump: str) -> str:
    """Without what differs from run to run or says nothing: comments, settings, blank lines, `public.`."""
    text = _NOISE.sub("", dump).replace("public.", "")
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def table_count(url: str) -> int:
    """Tables in the database that are not the system's."""
    with psycopg.connect(url) as connection:
        row = connection.execute("select count(*) from pg_tables where schemaname = 'public'").fetchone()
        assert row is not None
        return int(row[0])
