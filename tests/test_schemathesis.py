"""Requests made from the OpenAPI file, right and wrong ones, against a live server: every answer is one that the file
declares, none is a 5xx or shows our insides, and a refused request has changed no row.

A run is short by default. `PERIGEE_TEST_REQUESTS=10000` asks for a long one, with all phases and at least so many
requests (CONTRIBUTING).
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from perigee.http.routes import operations
from perigee.testing.api import Api

REQUESTS = int(os.environ.get("PERIGEE_TEST_REQUESTS", "0"))
SEED = os.environ.get("PERIGEE_TEST_SEED", "1")
PER_METHOD = 10
"""Requests to a method in a phase of a long run, at the least. Coverage takes about as many as fuzzing."""
# Not asked: that a lenient wire refuses what the file does not show (contract 2.2), and that made-up ids are known.
# Checked by tests of our own: credentials and methods (test_transport). Replaced in schemathesis_hooks: bodies.
EXCLUDED = (
    "negative_data_rejection",
    "positive_data_acceptance",
    "unsupported_method",
    "ignored_auth",
    "missing_required_header",
    "response_schema_conformance",
)


def _phases() -> list[str]:
    if not REQUESTS:
        return ["--phases", "examples,fuzzing", "--max-examples", "2", "--no-shrink"]
    each = max(PER_METHOD, -(-REQUESTS // (2 * len(operations()))))
    return ["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", str(each)]


@pytest.mark.timeout(60 if not REQUESTS else 3600)
async def test_every_answer_is_declared_and_no_refused_request_changes_anything(
    api: Api, host: str, database_url: str, tmp_path: Path
) -> None:
    hooks = {"SCHEMATHESIS_HOOKS": "perigee.testing.schemathesis_hooks"}
    counted = tmp_path / "requests"
    running = await asyncio.create_subprocess_exec(
        *(str(Path(sys.executable).with_name("st")), "run", f"{host}/api/openapi.json", "--url", host),
        *("--auth", f"any:{api.key}", "--seed", SEED, "--workers", "1", "--request-timeout", "20"),
        *("--continue-on-failure", "--warnings", "off", "--exclude-checks", ",".join(EXCLUDED)),
        *_phases(),
        cwd=tmp_path,
        env={
            **os.environ,
            **hooks,
            "PERIGEE_TEST_DATABASE": database_url,
            "PERIGEE_TEST_COUNT": str(counted),
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await running.communicate()
    text = said.decode()
    assert running.returncode == 0, text
    count = json.loads(counted.read_text())
    assert count["methods"] == len(operations()), text
    assert count["requests"] >= (REQUESTS or 300), count
    print(count)
