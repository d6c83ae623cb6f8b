"""What a recording SMTP server does wrong, and when: decided by rules and a seed, so that a run can be repeated."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class At(StrEnum):
    """Where in a session a fault strikes. `BODY` is the first byte after 354, with or without the dot in reach."""

    GREETING = "greeting"
    EHLO = "ehlo"
    STARTTLS = "starttls"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    DOT = "dot"


class Fault(StrEnum):
    """What happens instead of the answer. At the dot, all but the three refusals come after the message was
    accepted and recorded: the worst case for the sender."""

    DROP = "drop"  # close without a word
    HANG = "hang"  # never answer
    TEMPORARY = "temporary"  # 451
    PERMANENT = "permanent"  # 554
    CLOSING = "closing"  # 421 and close
    GARBAGE = "garbage"  # bytes that are no reply
    TORN = "torn"  # half a reply, then close
    FLOOD = "flood"  # a reply that never ends
    SLOW = "slow"  # the right answer, late


REFUSALS = {
    Fault.TEMPORARY: "451 4.3.0 try again later",
    Fault.PERMANENT: "554 5.3.0 not here",
    Fault.CLOSING: "421 4.3.2 shutting down",
}


@dataclass(frozen=True)
class Rule:
    """`fault` at `at`, for the share `rate` of cases, or only for the numbers in `only` (counted from 1 for each
    stage over the whole server), or only for recipients that `recipient` (a regular expression) finds."""

    at: At
    fault: Fault
    rate: float = 1.0
    only: frozenset[int] | None = None
    recipient: str | None = None

    @classmethod
    def parse(cls, text: str) -> Rule:
        """`dot:drop`, `dot:drop:0.01`, `rcpt:permanent:@bad\\.example$`, `mail:closing:#3,7`, and a burst: `rcpt:temporary:#100-250`."""
        at, _, rest = text.partition(":")
        fault, _, condition = rest.partition(":")
        rule = cls(At(at), Fault(fault))
        if condition.startswith("#"):
            return cls(rule.at, rule.fault, only=_numbers(condition[1:]))
        if re.fullmatch(r"[\d.]+", condition):
            return cls(rule.at, rule.fault, rate=float(condition))
        return cls(rule.at, rule.fault, recipient=condition or None)


def _numbers(text: str) -> frozenset[int]:
    """`3,7,10-12`"""
    found: set[int] = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return frozenset(found)


@dataclass
class Script:
    """Rules in order; the first that applies wins."""

    rules: Sequence[Rule] = ()
    seed: int = 0
    counts: dict[At, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)

    def decide(self, at: At, recipients: Sequence[str] = ()) -> Fault | None:
        count = self.counts[at] = self.counts.get(at, 0) + 1
        for rule in self.rules:
            if rule.at is not at or (rule.only is not None and count not in rule.only):
                continue
            if rule.recipient is not None and not any(
                re.search(rule.recipient, address) for address in recipients
            ):
                continue
            if rule.rate >= 1 or self._random.random() < rule.rate:
                return rule.fault
        return None
