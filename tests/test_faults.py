"""The fault runs (`bench/faults`), with fewer people and fewer faults; the deaths with the people of the full run.

A failure prints its seed and what happened when; `python -m bench.faults SCENARIO --seed N` plays it in full length.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.faults.run import play
from bench.faults.scenarios import SCENARIOS
from bench.faults.stage import Installation, installation

from perigee.testing.database import make_home, remove_home

SEED = 20_261_124
RECIPIENTS = {"kill": 20_000}
TIMES = {"pause-resume-stop": 8, "stopped-worker": 1, "database-restart": 2, "hang": 1, "kill": 10}


@pytest.fixture(scope="module")
def place() -> Iterator[Installation]:
    """One durable installation for all runs; each has an organisation of its own."""
    home = make_home("perigee-faults-")
    try:
        with installation(home) as found:
            yield found
    finally:
        remove_home(home)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", SCENARIOS)
def test_nobody_is_missing_and_nobody_doubled(place: Installation, tmp_path: Path, name: str) -> None:
    recipients = RECIPIENTS.get(name, 2000)
    figures = play(place, tmp_path, name, recipients=recipients, seed=SEED, times=TIMES.get(name))
    print(figures)
    assert (
        figures["chosen"]
        == recipients
        == sum(figures[outcome] for outcome in ("sent", "failed", "dropped", "uncertain"))
    )
    assert figures["doubles"] == 0
