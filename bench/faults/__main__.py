"""The fault runs by hand: one line of figures each, JSON in bench/results/faults.json; exit code 1 for a broken promise."""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.faults.run import play
from bench.faults.scenarios import SCENARIOS
from bench.faults.stage import Violation, installation

from perigee.db.embedded import EmbeddedServer

RESULTS = Path(__file__).parent.parent / "results"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.faults", description="A campaign while everything goes wrong."
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(SCENARIOS))
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    if unknown := set(options.scenarios) - set(SCENARIOS):
        parser.error(f"unknown scenario {', '.join(sorted(unknown))}; there are {', '.join(SCENARIOS)}")
    names = [name for name in SCENARIOS if not options.scenarios or name in options.scenarios]
    results: list[dict[str, Any]] = []
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that nothing we started stays behind
    folder = Path(tempfile.mkdtemp(prefix="perigee-faults-", dir="/var/tmp"))
    folder.chmod(0o755)
    broken = 0
    try:
        with installation(folder) as place:
            for name in names:
                try:
                    figures = play(place, folder, name, recipients=options.recipients, seed=options.seed)
                except Violation as violation:
                    figures = {"scenario": name, "seed": options.seed, "violation": str(violation)}
                    broken += 1
                results.append(figures)
                print(_line(figures), flush=True)
    finally:
        EmbeddedServer(folder).remove()
        shutil.rmtree(folder, ignore_errors=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "faults.json").write_text(json.dumps(results, indent=1) + "\n")
    return 1 if broken else 0


def _line(figures: dict[str, Any]) -> str:
    if violation := figures.get("violation"):
        return f"VIOLATION {violation}"
    shown = " ".join(f"{key}={value}" for key, value in figures.items() if key != "scenario")
    return f"{figures['scenario']}: {shown}"


if __name__ == "__main__":
    sys.exit(main())
