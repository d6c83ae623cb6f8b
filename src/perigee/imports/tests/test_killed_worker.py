"""A worker that is killed with -9 in the middle of a step: nothing is lost, nothing is written twice."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

from perigee.testing.api import Api

ROWS = 60
WORKER = """
import asyncio, os, signal, sys
from perigee.db.pool import Database
from perigee.imports import run

run.STEP = 20
real = run._apply

async def apply(conn, org_id, items):
    applied = await real(conn, org_id, items)
    if items[0].block.position == 20:
        os.kill(os.getpid(), signal.SIGKILL)  # the rows are written, their transaction is open
    return applied

run._apply = apply

async def main(url, org_id, import_id):
    async with Database(url) as database:
        await run.run_import(database, int(org_id), int(import_id))

asyncio.run(main(*sys.argv[1:]))
"""


async def test_an_import_after_kill_9_of_its_worker(api: Api, imports: Any) -> None:
    people = "".join(f"p{number}@example.com,P{number}\n" for number in range(ROWS))
    looked = await imports.upload(f"email,first name\n{people}p0@example.com,P0\n")
    import_id = looked["import_id"]
    await api.post(f"/api/v4/imports/{import_id}/start", {"options": {"lists": ["New"]}})
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, api.db.url, str(api.org_id), str(import_id)
    )
    assert await worker.wait() == -signal.SIGKILL
    halfway = await imports.get(import_id)
    assert (halfway["status"], halfway["progress"]["done"]) == ("running", 20)
    await api.run_jobs()
    done = await imports.get(import_id)
    assert done["status"] == "finished"
    progress = done["progress"]
    assert (progress["done"], progress["created"], progress["duplicates"]) == (ROWS + 1, ROWS, 1)
    assert await api.rows(
        "select count(*), count(distinct email) from contact where org_id = %(org_id)s"
    ) == [(ROWS, ROWS)]
    assert await api.rows("select count(*) from segment_member where org_id = %(org_id)s") == [(ROWS,)]
