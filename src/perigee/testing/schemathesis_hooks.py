"""What `st run` is told about Perigee: a refused request has changed nothing, no answer shows our insides, and a body
that the declaration lets be absent may be.

Loaded by schemathesis in its own process (`SCHEMATHESIS_HOOKS`); `PERIGEE_TEST_DATABASE` is the database of the server
under test, `PERIGEE_TEST_COUNT` a file for the number of requests. Only for one worker: the rows are compared around each call.
"""

from __future__ import annotations

import atexit
import json
import os
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import schemathesis

# Marks that a call leaves whatever comes of it: when a key was used, how fast callers are, where pages begin.
UNWATCHED = {"api_key", "rate_bucket", "event_error", "page_mark", "recent_request", "idempotency_key"}

INSIDES = ("Traceback (most recent call", "site-packages", "psycopg.", "LINE 1:", "SQLSTATE", '.py", line ')


class _Rows:
    """A digest of all rows, taken anew only where something may have changed."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        tables = self._connection.execute(
            "select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition order by 1"
        ).fetchall()
        self._query = " union all ".join(
            f"select '{name}', md5(string_agg(t::text, '|' order by t::text)) from {name} t"
            for (name,) in tables
            if name not in UNWATCHED and not name.startswith(("procrastinate", "_yoyo", "yoyo"))
        )
        self.known: dict[str, Any] | None = None

    def now(self) -> dict[str, Any]:
        self.known = dict(self._connection.execute(self._query).fetchall())
        return self.known


_called: Counter[str] = Counter()


@atexit.register
def _write_count() -> None:
    """How many requests went to how many methods, as JSON into the file that the test names."""
    count = {"requests": _called.total(), "methods": len(_called)}
    Path(os.environ["PERIGEE_TEST_COUNT"]).write_text(json.dumps(count))


@cache
def _rows() -> _Rows:
    return _Rows(os.environ["PERIGEE_TEST_DATABASE"])


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    if _rows().known is None:
        _rows().now()


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    _called[case.operation.label] += 1
    if response.status_code < 400:
        _rows().known = None


@schemathesis.check
def refused_request_changes_nothing(ctx: Any, response: Any, case: Any) -> None:
    """Rows before a refused call are the rows after it."""
    if response.status_code < 400:
        return
    before = _rows().known
    after = _rows().now()
    if before is not None and before != after:
        changed = sorted(name for name in after if before.get(name) != after[name])
        raise AssertionError(f"a request refused with {response.status_code} changed {', '.join(changed)}")


@schemathesis.check
def answer_is_as_declared(ctx: Any, response: Any, case: Any) -> None:
    """As schemathesis' own check of bodies, but it knows that an empty body may be labelled JSON (contract 2.4)."""
    if case.method.upper() != case.operation.method.upper():
        return  # a method that the file does not declare: tests/test_transport.py
    declared = case.operation.definition.raw["responses"].get(str(response.status_code), {})
    if response.content or not declared.get("x-may-be-empty"):
        case.operation.validate_response(response, case=case)


@schemathesis.check
def answer_shows_no_insides(ctx: Any, response: Any, case: Any) -> None:
    """No stack, no text of the database or of a library."""
    for words in INSIDES:
        assert words not in response.text, f"the answer shows {words!r}"
