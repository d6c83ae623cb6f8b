"""What goes wrong in each run: faults of the mail server, and what is done to the installation while the campaign runs."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bench.faults.account import Books
from bench.faults.run import Run
from bench.faults.stage import LEASE_SECONDS, SMTP_SECONDS, WORKERS
from bench.faults.writer import writing

HOUR = 3600


@dataclass(frozen=True)
class Scenario:
    """`server`: arguments of the mail server for so many recipients. `disturb` runs from the launch on. `check` says
    what this scenario's books must show beyond what all must."""

    server: Callable[[int], list[str]] = lambda recipients: []
    disturb: Callable[[Run], None] = lambda run: None
    check: Callable[[Run, Books], Iterator[str]] = lambda run, books: iter(())


def share(recipients: int, times: int) -> str:
    """The rate at which something happens about so many times."""
    return f"{min(0.1, times / recipients):.5f}"


def slow(recipients: int) -> list[str]:
    """Some answers take a moment, so that whatever happens finds messages on the way."""
    return ["--fault", "dot:slow:0.2"]


# --- deaths ------------------------------------------------------------------------------------------------------


def kill(run: Run) -> None:
    """At moments spread over the campaign a worker, the web process or PostgreSQL dies, by chance."""
    with writing(run.shop) as writer:
        for victim in run.spread(["worker", "worker", "web", "postgres"]):
            if victim == "postgres":
                run.place.until("PostgreSQL to kill", run.place.server.is_running)
                run.interrupt("postgres", run.place.server.pid, processes=WORKERS)
            else:
                part = {"web": "serve", "worker": "worker"}[victim]
                run.place.until(f"a {victim} to kill", lambda part=part: bool(run.place.parts(part)))  # type: ignore[misc]
                pid = run.chance.choice(run.place.parts(part))
                run.interrupt(victim, pid, processes=1 if victim == "worker" else 0)
        run.place.until("the web process again", lambda: run.place.perigee.get("/health") == 200)
        before = len(writer.acknowledged)
        run.place.until("another acknowledged write", lambda: len(writer.acknowledged) > before)
        run.wait_for_end()
    run.found += writer.violations()
    run.figures["acknowledged_writes"] = len(writer.acknowledged)
    run.found += _jobs_run(run)


def _jobs_run(run: Run) -> list[str]:
    """The job runners of the workers found the database again."""
    contacts = [{"channels": [{"type": "email", "value": "late@example.org"}]}]
    job = run.shop.call("POST", "/api/v1/contacts", {"contacts": contacts, "dedupeOn": "email"})
    path = f"/api/v1/importstatus/{job['asyncSessionId']}"
    run.place.until("an import", lambda: run.shop.call("GET", path)["status"] == "FINISHED")
    return []


def restart_database(run: Run) -> None:
    """PostgreSQL is shut down as an administrator does it; `perigee up` starts it again."""
    for _ in run.spread(["database"]):
        run.place.server.stop()
        run.interrupted("database restart", processes=WORKERS)
        run.place.until("PostgreSQL", run.place.server.is_running)


def stop_a_worker(run: Run) -> None:
    """One of three workers on the campaign stands still for longer than its lease, and wakes as if nothing had been."""
    for _ in run.spread(["worker"]):
        pid = run.chance.choice(run.place.parts("worker"))
        os.kill(pid, signal.SIGSTOP)
        run.interrupted("worker stopped", processes=1)
        try:
            time.sleep(LEASE_SECONDS + 1.5)
        finally:
            os.kill(pid, signal.SIGCONT)


# --- the mail server ---------------------------------------------------------------------------------------------


def bursts(recipients: int) -> list[str]:
    """Three times in the campaign, for a while, every answer at one stage is a temporary refusal."""
    out = []
    for number, what in enumerate(("rcpt:temporary", "mail:temporary", "dot:temporary", "data:temporary"), 1):
        begin = recipients * number // 6
        out += ["--fault", f"{what}:#{begin}-{begin + recipients // 40}"]
    return [
        *out,
        "--fault",
        f"mail:closing:{share(recipients, 15)}",
        "--fault",
        f"dot:closing:{share(recipients, 15)}",
    ]


REFUSALS: Mapping[str, tuple[str, str]] = {
    # Few enough that neither the brake on bad lists nor that on a refusing domain stops the campaign.
    # Recipients by the end of their number → answer to RCPT, what becomes of the address
    r"^person\d*01@": ("550 5.1.1 no such user here", "blacklisted"),
    r"^person\d*[05]2@": ("552 5.2.2 mailbox full", "blocked"),
    r"^person\d*[05]03@": ("554 5.7.1 rejected by policy", "untouched"),
    r"^person\d*[05]04@": ("550 5.2.1 account disabled", "blacklisted"),
}


def refusals(recipients: int) -> list[str]:
    out = ["--fault", "dot:permanent:0.005"]
    for pattern, (answer, _) in REFUSALS.items():
        out += ["--answer", f"{pattern}={answer}"]
    return out


def check_refusals(run: Run, books: Books) -> Iterator[str]:
    asked = {a for a, (outcome, _) in books.by_address.items() if outcome != "dropped"}
    expected: dict[str, set[str]] = {"blacklisted": set(), "blocked": set(), "untouched": set()}
    for pattern, (_, fate) in REFUSALS.items():
        expected[fate] |= {address for address in asked if re.search(pattern, address)}
    failed = books.having("failed")
    if missing := set().union(*expected.values()) - failed:
        yield f"refused for good and not failed: {sorted(missing)[:5]}"
    for fate, column in (("blacklisted", "blacklisted_at"), ("blocked", "blocked_until")):
        found = run.shop.rows(f"select value from address where org_id = %(org)s and {column} is not null")
        if {row[0] for row in found} != expected[fate]:
            yield f"{fate}: {len(found)} addresses, expected {len(expected[fate])}"
    run.figures["blacklisted"] = len(expected["blacklisted"])


def hangs(recipients: int) -> list[str]:
    """At every stage a few times an answer never comes; the dot's comes never after the message was taken."""
    times = {"greeting": 0.02, "ehlo": 0.02}
    out = [f"{at}:hang:{rate}" for at, rate in times.items()]
    out += [f"{at}:hang:{share(recipients, 6)}" for at in ("mail", "rcpt", "data", "body", "dot")]
    return [word for rule in out for word in ("--fault", rule)] + ["--backlog", "1"]


def freeze(run: Run) -> None:
    """Twice the whole server stands still: sessions hang, then connecting does."""
    for _ in run.spread(["freeze"]):
        with run.mail.frozen():
            run.interrupted("server frozen", processes=WORKERS)
            time.sleep(SMTP_SECONDS * 2 + 1)


def check_nothing_lost(run: Run, books: Books) -> Iterator[str]:
    """What is nobody's fault costs nobody a message."""
    if books.having("failed") or books.having("uncertain"):
        yield f"somebody paid for it: {dict(books.outcomes)}"


def check_nobody_failed(run: Run, books: Books) -> Iterator[str]:
    if failed := books.having("failed"):
        yield f"{len(failed)} failed for what was temporary: {[books.by_address[a] for a in sorted(failed)[:3]]}"


def check_dropped(run: Run, books: Books) -> Iterator[str]:
    yield from check_nobody_failed(run, books)
    if not books.unanswered:
        yield "the server dropped nothing: the run shows nothing"


# --- clocks and people -------------------------------------------------------------------------------------------


def jump(run: Run) -> None:
    """The workers' wall clocks jump by up to a day; the database's clock jumps an hour forward, or steps back.

    For leases a jump of the database's clock is the same as moving them the other way.
    """
    for what in run.spread(["wall", "wall", "forward", "back"]):
        if what == "wall":
            run.place.set_clock(run.chance.uniform(-24, 24) * HOUR)
            run.interrupted("wall clock", processes=0)
        elif what == "forward":
            _move_leases(run, -HOUR)
            run.interrupted("database clock forward", processes=WORKERS)
        else:
            _move_leases(run, 3)
            run.interrupted("database clock back", processes=0)
    run.wait_for_end()
    run.place.set_clock(0)


def _move_leases(run: Run, seconds: int) -> None:
    run.shop.rows(
        "update send_batch set lease_until = lease_until + make_interval(secs => %(s)s),"
        " due_at = due_at + make_interval(secs => %(s)s) where org_id = %(org)s and done_at is null",
        s=seconds,
    )


def pause_and_resume(run: Run) -> None:
    """Again and again; while the campaign is paused and nothing is in flight, nothing leaves. In the end it is stopped."""
    for _ in run.spread(["pause"]):
        run.shop.act("pause")
        run.interrupted("pause", processes=0)
        run.place.until("what was in flight to have its outcome", lambda: not _in_flight(run))
        before = run.mail.count
        time.sleep(run.chance.uniform(0.1, 0.6))
        if run.mail.count != before:
            run.found.append(f"{run.mail.count - before} messages left while the campaign was paused")
        run.shop.act("resume")
    run.until_sent(0.9)
    run.shop.act("stop")


def _in_flight(run: Run) -> int:
    found = run.shop.rows(
        "select coalesce(sum(cardinality(in_flight)), 0)::int from send_batch where org_id = %(org)s"
    )
    return int(found[0][0])


def check_stopped(run: Run, books: Books) -> Iterator[str]:
    yield from check_nothing_lost(run, books)
    reasons = {reason for outcome, reason in books.by_address.values() if outcome == "dropped"}
    if books.state.campaign != "stopped" or reasons != {"unsubscribed", "stopped"}:
        yield f"after the stop: {books.state}, dropped for {reasons}"


SCENARIOS: Mapping[str, Scenario] = {
    "drop-after-dot": Scenario(
        server=lambda n: ["--fault", f"dot:drop:{share(n, 200)}"], check=check_dropped
    ),
    "temporary": Scenario(server=bursts, check=check_nobody_failed),
    "permanent": Scenario(server=refusals, check=check_refusals),
    "close-every-100": Scenario(server=lambda n: ["--close-every", "100"], check=check_nothing_lost),
    "hang": Scenario(server=hangs, disturb=freeze, check=check_nobody_failed),
    "pause-resume-stop": Scenario(server=slow, disturb=pause_and_resume, check=check_stopped),
    "clock": Scenario(server=slow, disturb=jump, check=check_nobody_failed),
    "stopped-worker": Scenario(server=slow, disturb=stop_a_worker, check=check_nobody_failed),
    "database-restart": Scenario(server=slow, disturb=restart_database, check=check_nobody_failed),
    "kill": Scenario(server=slow, disturb=kill, check=check_nobody_failed),
}
"""In the order in which they are run: the deaths last, so that no part dies before it has settled."""

TIMES: Mapping[str, int] = {
    "hang": 2,
    "pause-resume-stop": 20,
    "clock": 12,
    "stopped-worker": 3,
    "database-restart": 5,
    "kill": 20,
}
"""How often a scenario disturbs a run of full length."""
