"""One run: launches the campaign, lets the scenario disturb it, waits for the end and checks the books."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.faults import account
from bench.faults.stage import Installation, Recorder, Shop, Violation, recorder

SETTLE_SECONDS = 40
"""Upkeep, which writes what a stop left over, comes every half a minute."""


class Run:
    """`found` are the violations so far. `times`: how often the scenario disturbs."""

    def __init__(self, place: Installation, mail: Recorder, shop: Shop, seed: int, times: int) -> None:
        self.place = place
        self.mail = mail
        self.shop = shop
        self.chance = random.Random(seed)
        self.times = times
        self.interruptions = 0
        self.events: list[str] = []
        self.found: list[str] = []
        self.figures: dict[str, Any] = {}

    @property
    def expected(self) -> int:
        """Messages that would arrive in a calm."""
        return self.shop.recipients * 99 // 100

    def until_sent(self, part: float) -> None:
        goal = int(self.expected * part)
        self.place.until(f"{goal} messages", lambda: self.mail.count >= goal or self._over())

    def spread(self, kinds: Sequence[str]) -> Iterator[str]:
        """`times` moments spread by chance over the campaign, each with one of `kinds`; all kinds come up."""
        moments = sorted(self.chance.uniform(0.02, 0.85) for _ in range(self.times))
        drawn = [*kinds, *self.chance.choices(kinds, k=self.times)][: self.times]
        self.chance.shuffle(drawn)
        for moment, kind in zip(moments, drawn, strict=True):
            self.until_sent(moment)
            yield kind

    def interrupt(self, what: str, pid: int | None, *, processes: int) -> None:
        """Kills, and notes that so many sending processes may have lost what they had in hand."""
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self.interrupted(what, processes=processes)

    def interrupted(self, what: str, *, processes: int) -> None:
        self.events.append(f"{self.mail.count} {what}")
        self.interruptions += processes

    def wait_for_end(self) -> None:
        """Looks at the state of the campaign until it is over; those who wait for another try wait no longer."""
        self.place.until("the end of the campaign", self._over)

    def _over(self) -> bool:
        self.shop.hurry()
        state = account.state(self.shop)
        if state is None:
            return False
        if lie := state.lie():
            self.found.append(lie)
            raise Violation(lie)
        return state.over


def play(
    place: Installation, folder: Path, name: str, *, recipients: int, seed: int, times: int | None = None
) -> dict[str, Any]:
    """Plays one scenario and returns its figures. Raises Violation, which names the seed and everything that happened."""
    from bench.faults.scenarios import SCENARIOS, TIMES  # they are written in terms of a run

    scenario = SCENARIOS[name]
    times = TIMES.get(name, 0) if times is None else times
    with recorder(folder / f"{name}.record", seed, scenario.server(recipients)) as mail:
        shop = Shop(place, mail, recipients)
        run = Run(place, mail, shop, seed, times)
        began = time.monotonic()
        try:
            shop.launch()
            scenario.disturb(run)
            run.wait_for_end()
            seconds = time.monotonic() - began
            books = _settled(run)
            run.found += account.violations(books, recipients, interruptions=run.interruptions)
            run.found += scenario.check(run, books)
            path = f"/api/v4/campaigns/{shop.campaign_id}/report"
            place.until("the report", lambda: bool(shop.status("GET", path, None)))
            run.found += account.report_violations(books, shop.call("GET", path))
        except Violation as violation:
            run.found.append(str(violation))
    for line in place.perigee.log().splitlines():
        json.loads(line)  # whatever died, every line of every part stays readable to machines
    if run.found:
        raise Violation(f"{name}, seed {seed}: " + "\n".join([*run.found, f"events: {run.events}"]))
    copies = Counter(message.recipient for message in books.accepted)
    return {
        "scenario": name,
        "seed": seed,
        "chosen": recipients,
        **{outcome: books.outcomes[outcome] for outcome in ("sent", "failed", "dropped", "uncertain")},
        "accepted": len(books.accepted),
        "unanswered": len(books.unanswered),
        "doubles": sum(count - 1 for count in copies.values()),
        "disturbed": len(run.events),
        "interruptions": run.interruptions,
        "seconds": round(seconds, 1),
        **run.figures,
    }


def _settled(run: Run) -> account.Books:
    """The books when every line is written: a stopped campaign's last windows come with their sender."""

    def settled() -> bool:
        state = account.state(run.shop)
        return state is not None and (state.batches_undone, state.waiting) == (0, 0)

    run.place.until("the last line of the ledger", settled, SETTLE_SECONDS)
    return account.read(run.shop, run.mail.messages())
