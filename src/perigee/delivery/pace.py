"""How fast a send may go on: token buckets of its provider and of where its messages go. Pure; see `pacing.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated

import msgspec

Amount = Annotated[int, msgspec.Meta(ge=1, le=100_000_000)]
QUANTUM = 0.25
"""Seconds: a provider's bucket holds what its rate brings in that time, and what found none left waits so long at least."""
LONGEST = 3600.0
"""Nobody waits longer for a token until they ask again: limits change."""
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_FIRST_DAYS = (1000, 2000, 4000)
_LAST_DAY, _LAST = 25, 2_500_000


class Limits(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Messages through a provider: a second, a minute, an hour, a day (UTC). `warm_up_from` is the first day of a warm-up:
    1,000 messages, then 2,000, 4,000 … 2.5 million on day 25, then none but the others."""

    second: Amount | None = None
    minute: Amount | None = None
    hour: Amount | None = None
    day: Amount | None = None
    warm_up_from: date | None = None

    @property
    def any(self) -> bool:
        return self != NO_LIMITS

    def of_day(self, today: date) -> int | None:
        """Messages of this day; None is no limit."""
        warm_up = None if self.warm_up_from is None else warm_up_cap((today - self.warm_up_from).days + 1)
        caps = [cap for cap in (self.day, warm_up) if cap is not None]
        return min(caps) if caps else None

    def buckets(self, name: str) -> list[Bucket]:
        """Full ones, but for the day."""
        return [
            Bucket(f"{name}:{unit}", amount / seconds)
            for unit, seconds in _SECONDS.items()
            if (amount := getattr(self, unit)) is not None
        ]


NO_LIMITS = Limits()


def warm_up_cap(day: int) -> int | None:
    """Messages of the n-th day of a warm-up (product 1): from 4,000 on day 3 by equal factors to 2.5 million."""
    if day < 1:
        return 0
    if day > _LAST_DAY:
        return None
    if day <= len(_FIRST_DAYS):
        return _FIRST_DAYS[day - 1]
    steps = _LAST_DAY - len(_FIRST_DAYS)
    factor: float = (_LAST / _FIRST_DAYS[-1]) ** ((day - len(_FIRST_DAYS)) / steps)
    return round(_FIRST_DAYS[-1] * factor / 1000) * 1000


@dataclass(slots=True)
class Bucket:
    """`rate` tokens come each second; it holds those of `seconds` and one. `promised`: seconds from now that the coming tokens are promised to those who
    wait already."""

    name: str
    rate: float
    tokens: float = -1.0
    promised: float = 0.0
    seconds: float = QUANTUM

    def __post_init__(self) -> None:
        if self.tokens < 0:
            self.tokens = self.burst

    @property
    def burst(self) -> float:
        return 1.0 + self.rate * self.seconds

    def refill(self, tokens: float, seconds: float) -> None:
        """To what it is `seconds` after there were so many tokens in it."""
        self.tokens = min(self.burst, tokens + self.rate * max(0.0, seconds))

    def wait(self) -> float:
        """Seconds until there is a token; 0 when there is one."""
        return 0.0 if self.tokens >= 1 else max(QUANTUM, (1 - self.tokens) / self.rate)

    def promise(self) -> float:
        """Seconds until the next token that nobody waits for yet; it is promised now."""
        self.promised = max(self.promised, self.wait()) + 1 / self.rate
        return min(self.promised, LONGEST)


@dataclass(slots=True)
class Day:
    """What is left of a limit by the day, and seconds until the next one."""

    name: str
    cap: int
    used: int
    ends_in: float

    def wait(self) -> float:
        return 0.0 if self.used < self.cap else self.ends_in


@dataclass(slots=True)
class Place:
    """Where messages go. `stopped`: seconds until anything may go there again."""

    name: str
    bucket: Bucket | None = None
    stopped: float = 0.0

    def hold(self) -> float:
        """Seconds that one more message waits; 0 when it need not, and has taken its token."""
        if self.stopped > 0:
            self.stopped += 0.01  # not all of them in the same moment
            return min(self.stopped, LONGEST)
        if self.bucket is None:
            return 0.0
        if self.bucket.wait() > 0:
            return self.bucket.promise()
        self.bucket.tokens -= 1
        return 0.0


@dataclass(slots=True)
class Share:
    """Of the candidates in order: those to begin, those who wait (index, seconds); `wait` when the provider has no
    more tokens: seconds until the rest is worth another try."""

    begin: list[int] = field(default_factory=list)
    held: list[tuple[int, float]] = field(default_factory=list)
    wait: float | None = None

    @property
    def advanced(self) -> int:
        return len(self.begin) + len(self.held)


def share(
    candidates: Iterable[tuple[int, str]],
    room: int,
    buckets: Sequence[Bucket],
    day: Day | None,
    places: Mapping[str, Place],
) -> Share:
    """Hands out tokens to candidates (index, where it goes) until `room` may begin or the provider has none left."""
    found = Share()
    for index, name in candidates:
        if len(found.begin) >= room:
            break
        short = max([bucket.wait() for bucket in buckets] + ([day.wait()] if day else []), default=0.0)
        if short > 0:
            found.wait = short
            break
        place = places.get(name)
        if place is not None and (wait := place.hold()):
            found.held.append((index, wait))
            continue
        for bucket in buckets:
            bucket.tokens -= 1
        if day is not None:
            day.used += 1
        found.begin.append(index)
    return found
