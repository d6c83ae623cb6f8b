"""The books of a campaign, read straight from the tables and from the mail server's record, and what must hold of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from bench.faults.stage import WINDOW, Shop

from perigee.testing.smtp_server import Accepted

_LEDGER = """
select d.contact_id, c.email, d.outcome, d.reason
from campaign k join delivery d on d.org_id = k.org_id and d.send_id = k.send_id
join contact c on c.org_id = d.org_id and c.contact_id = d.contact_id
where k.org_id = %(org)s and k.campaign_id = %(campaign)s"""
_STATE = """
select k.state, s.state, s.chosen, s.dropped,
       (select count(*) from send_batch b where b.org_id = s.org_id and b.send_id = s.send_id and b.done_at is null),
       (select count(*) from send_retry r where r.org_id = s.org_id and r.send_id = s.send_id),
       case when s.state in ('finished', 'stopped') then
           (select count(*) from delivery d where d.org_id = s.org_id and d.send_id = s.send_id) end
from campaign k join send s on s.org_id = k.org_id and s.send_id = k.send_id
where k.org_id = %(org)s and k.campaign_id = %(campaign)s"""
_BATCHES = """
select coalesce(sum(b.sent), 0)::int, coalesce(sum(b.failed), 0)::int, coalesce(sum(b.dropped), 0)::int,
       coalesce(sum(b.uncertain), 0)::int, coalesce(sum(cardinality(b.in_flight)), 0)::int
from campaign k join send_batch b on b.org_id = k.org_id and b.send_id = k.send_id
where k.org_id = %(org)s and k.campaign_id = %(campaign)s"""
_ACTIVITY = """
select a.status, a.contact_id, count(*)::int
from campaign k join activity a on a.org_id = k.org_id and a.send_id = k.send_id
where k.org_id = %(org)s and k.campaign_id = %(campaign)s group by 1, 2"""


@dataclass(frozen=True)
class State:
    campaign: str
    send: str
    chosen: int
    dropped_at_launch: int
    batches_undone: int
    waiting: int
    ledger: int | None
    """Lines of the ledger, counted only when the send says that it is over."""

    @property
    def over(self) -> bool:
        return self.campaign in ("finished", "stopped")

    def lie(self) -> str | None:
        """What is wrong with saying "finished" in this very snapshot."""
        if self.send != "finished" and self.campaign != "finished":
            return None
        if (self.batches_undone, self.waiting, self.ledger) != (0, 0, self.chosen):
            return f"said to be finished with {self}"
        return None


def state(shop: Shop) -> State | None:
    """None before the audience is frozen."""
    found = shop.rows(_STATE)
    return State(*found[0]) if found else None


@dataclass(frozen=True)
class Books:
    """`by_address`: address → (outcome, reason)."""

    by_address: dict[str, tuple[str, str | None]]
    lines: int
    contacts: int
    state: State
    counted: tuple[int, ...]
    activity: dict[str, Counter[str]]
    accepted: list[Accepted]

    @property
    def outcomes(self) -> Counter[str]:
        return Counter(outcome for outcome, _ in self.by_address.values())

    def having(self, outcome: str) -> set[str]:
        return {address for address, (found, _) in self.by_address.items() if found == outcome}

    @property
    def unanswered(self) -> set[str]:
        """Addresses whose message was taken, but whose sender was never told."""
        return {message.recipient for message in self.accepted if not message.answered}


def read(shop: Shop, accepted: list[Accepted]) -> Books:
    ledger = shop.rows(_LEDGER)
    found = state(shop)
    assert found is not None
    address_of = {row[0]: row[1] for row in ledger}
    activity: dict[str, Counter[str]] = {"DELIVERED": Counter(), "UNDELIVERED": Counter()}
    for status, contact_id, count in shop.rows(_ACTIVITY):
        activity.setdefault(status, Counter())[address_of.get(contact_id, f"contact {contact_id}")] = count
    return Books(
        by_address={row[1]: (row[2], row[3]) for row in ledger},
        lines=len(ledger),
        contacts=len(address_of),
        state=found,
        counted=tuple(shop.rows(_BATCHES)[0]),
        activity=activity,
        accepted=accepted,
    )


def violations(books: Books, recipients: int, *, interruptions: int) -> list[str]:
    """What does not hold. `interruptions`: how often a sending process lost what it had in hand (killed, stopped beyond its
    lease, cut off from its database, or from a mail server that stood still); each explains a window of uncertain messages.
    Without any, the uncertain are exactly those that the server took and did not answer."""
    out, outcomes, over = [], books.outcomes, books.state

    def must(true: bool, sentence: str) -> None:
        if not true:
            out.append(sentence)

    must(
        books.lines == books.contacts == len(books.by_address) == over.chosen == recipients,
        f"{recipients} were chosen; {books.lines} lines of {books.contacts} contacts, {over.chosen} in the send",
    )
    must(sum(outcomes.values()) == recipients, f"the outcomes do not add up: {dict(outcomes)}")
    must((over.batches_undone, over.waiting) == (0, 0), f"over, but not done: {over}")
    # Frozen drop-outs are in no batch.
    summed = (
        outcomes["sent"],
        outcomes["failed"],
        outcomes["dropped"] - over.dropped_at_launch,
        outcomes["uncertain"],
        0,
    )
    must(books.counted == summed, f"counters say {books.counted}, the ledger {summed}")

    copies = Counter(message.recipient for message in books.accepted)
    doubled = [address for address, count in copies.items() if count > 1]
    must(not doubled, f"{len(doubled)} got it twice: {doubled[:5]}")
    ids = {message.message_id for message in books.accepted}
    must(len(ids) == len(books.accepted), "a Message-ID was used twice")
    sent, uncertain, taken = books.having("sent"), books.having("uncertain"), set(copies)
    must(sent <= taken, f"said to be sent, never received: {sorted(sent - taken)[:5]}")
    hidden = sorted(taken - sent - uncertain)
    must(not hidden, f"received, not said so: {[(a, books.by_address.get(a)) for a in hidden[:5]]}")
    must(not (books.unanswered & sent), "said to be sent without an answer")
    if interruptions:
        limit = len(books.unanswered) + WINDOW * interruptions
        must(
            len(uncertain) <= limit,
            f"{len(uncertain)} are uncertain, {interruptions} interruptions explain {limit}",
        )
    else:
        must(
            uncertain == books.unanswered,
            f"uncertain without a cause: {sorted(uncertain ^ books.unanswered)[:5]}",
        )
    for status, outcome in (("DELIVERED", sent), ("UNDELIVERED", books.having("failed"))):
        seen = books.activity[status]
        must(
            set(seen) == outcome,
            f"{status} is not said of the same people: {sorted(set(seen) ^ outcome)[:5]}",
        )
        must(all(count == 1 for count in seen.values()), f"{status} is said twice of somebody")
    return out


def report_violations(books: Books, report: Any) -> list[str]:
    """The report that people are shown says the same as the tables."""
    outcomes = books.outcomes
    shown = {
        "sent": report["sent"],
        "failed": sum(report["failed"].values()),
        "dropped": sum(report["dropped"].values()),
        "uncertain": report["uncertain"],
    }
    if any(shown[name] != outcomes[name] for name in shown) or report["waiting"]:
        return [f"the report shows {shown}, waiting {report['waiting']}; the tables have {dict(outcomes)}"]
    return []
