"""Conditions on messages to a contact and what became of them: how often, and when first or last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Literal

from perigee.errors import Invalid
from perigee.segments.comparisons import Comparison, Takes
from perigee.segments.dates import Instant, Period
from perigee.segments.leaves.counting import COUNT, ONCE, effort, happened
from perigee.segments.leaves.happenings import SOURCES, MessageFilter, same_message
from perigee.segments.leaves.leaf import Effort, Members
from perigee.segments.person import Happening, Message, Needs, Person
from perigee.segments.sql import Sql, both
from perigee.segments.values import Text
from perigee.segments.world import Catalogue, World

_LINK = Text(folded=False)
_REASON = Text(folded=True)
_GIVES_REASON = ("unavailable", "failed", "unsubscribed")
_HAS_DELAY = ("delivered", "opened", "clicked")


class HappeningFilter(MessageFilter, frozen=True, kw_only=True):
    """`link`: the author's address of the link clicked. `reason`: why it was not sent, what the provider said, or why
    somebody left. `delay`: whole seconds from the sending to the first time that it happened."""

    what: Happening
    link: Comparison | None = None
    reason: Comparison | None = None
    delay: Comparison | None = None

    def check(self, at: str, catalogue: Catalogue) -> None:
        super().check(at, catalogue)
        for name, kind, of in (
            ("link", _LINK, ("clicked",)),
            ("reason", _REASON, _GIVES_REASON),
            ("delay", COUNT, _HAS_DELAY),
        ):
            comparison: Comparison | None = getattr(self, name)
            if comparison is None:
                continue
            if self.what not in of:
                raise Invalid(f"{at}.{name}: is not taken by '{self.what}'", field=f"{at}.{name}")
            kind.check(comparison, f"{at}.{name}")

    def need(self, needs: Needs, catalogue: Catalogue) -> None:
        self.need_of(needs, [self.what])
        needs.message_details |= self.delay is not None or self.reason is not None

    # -- SQL

    def source(self, sql: Sql, m: str) -> str:
        """`from … where …`: a row for each time it happened as told."""
        conditions = self.at_times(sql, m, self.what)
        if self.link is not None:
            conditions.append(_LINK.sql(f"{m}.detail", self.link, sql))
        if self.reason is not None:
            conditions.append(self._reason_sql(sql, m, self.reason))
        if self.delay is not None:
            conditions.append(self._delay_sql(sql, m, self.delay))
        return " and ".join([self.happenings(sql, m, self.what), *conditions])

    def _reason_sql(self, sql: Sql, m: str, reason: Comparison) -> str:
        if self.what != "unsubscribed":
            column = "reason" if SOURCES[self.what].table == "delivery" else "detail"
            return _REASON.sql(f"{m}.{column}", reason, sql)
        log = sql.alias()
        left = [
            f"{log}.org_id = {sql.org}",
            f"{log}.contact_id = {m}.contact_id",
            f"{log}.send_id = {m}.send_id",
            f"{log}.action = {sql.bind('unsubscribed', 'text')}",
            _REASON.sql(f"{log}.reason", reason, sql),
        ]
        return f"exists (select from consent_log {log} where {both(left)})"

    def _delay_sql(self, sql: Sql, m: str, delay: Comparison) -> str:
        """All first times in one set; looked up for each message they would be worked out again and again."""
        f, d = sql.alias(), sql.alias()
        ledger = both([f"{d}.org_id = {sql.org}", *same_message(d, f)])
        source = self.happenings(sql, f, self.what, join=f"join delivery {d} on {ledger}")
        seconds = COUNT.sql(f"greatest(extract(epoch from min({f}.at) - {d}.at), 0)", delay, sql)
        return (
            f"({m}.contact_id, {m}.send_id, {m}.ordinal) in (select {f}.contact_id, {f}.send_id, {f}.ordinal {source} "
            f"group by {f}.contact_id, {f}.send_id, {f}.ordinal, {d}.at having {seconds})"
        )

    # -- one person

    def times_of(self, person: Person, world: World) -> list[Message]:
        """Each time it happened as told."""
        everything = self.happened_to(person, self.what)
        firsts: dict[tuple[int, int], datetime] = {}
        for message in everything:
            firsts[message.key] = min(message.at, firsts.get(message.key, message.at))
        return [one for one in everything if self._as_told(one, firsts[one.key], world)]

    def _as_told(self, message: Message, first: datetime, world: World) -> bool:
        moment = world.moment
        if not self.in_time(message.at, moment):
            return False
        if self.link is not None and not _LINK.holds(message.detail, self.link, moment):
            return False
        if self.reason is not None and not any(
            _REASON.holds(reason, self.reason, moment) for reason in message.reasons
        ):
            return False
        return self.delay is None or COUNT.holds(_seconds(message.sent_at, first), self.delay, moment)


def _seconds(start: datetime | None, end: datetime) -> Decimal | None:
    """What happened before the sending was written down happened at once."""
    if start is None:
        return None
    gap = max(end - start, timedelta())
    return Decimal(gap.days * 86_400 + gap.seconds) + Decimal(gap.microseconds).scaleb(-6)


class MessageLeaf(HappeningFilter, frozen=True, kw_only=True, tag="message"):
    """`{"is": "message", "what": "opened", "channel": "email", "times": {"op": "at_least", "value": 3}}`.

    Counts messages, not happenings: one that was opened five times is one.
    """

    times: Comparison = ONCE

    @property
    def effort(self) -> Effort:
        return Effort.COUNT if self.delay is not None else effort(self.times)

    def check(self, at: str, catalogue: Catalogue) -> None:
        COUNT.check(self.times, f"{at}.times")
        super().check(at, catalogue)

    def members(self, sql: Sql) -> Members:
        m = sql.alias()
        return happened(
            sql,
            self.times,
            f"{m}.contact_id",
            self.source(sql, m),
            f"distinct ({m}.send_id, {m}.ordinal)",
        )

    def found(self, person: Person, world: World) -> Any:
        return len({message.key for message in self.times_of(person, world)})

    def holds(self, person: Person, world: World) -> bool:
        return COUNT.holds(self.found(person, world), self.times, world.moment)


class Once(Instant):
    """When something happened that may never have happened."""

    operators: ClassVar[Mapping[str, Takes]] = {**Period.operators, "filled": "nothing", "empty": "nothing"}


_ONCE = Once()


class MessageTimeLeaf(HappeningFilter, frozen=True, kw_only=True, tag="message_time"):
    """The last or first time: `{"is": "message_time", "which": "last", "what": "opened", "test": {"op":
    "before_last_days", "days": 90}}`. To whom it never happened has no such time (`empty`)."""

    test: Comparison
    which: Literal["last", "first"] = "last"

    @property
    def effort(self) -> Effort:
        return Effort.LOOK if self.test.op in ("filled", "empty") else Effort.COUNT

    def check(self, at: str, catalogue: Catalogue) -> None:
        _ONCE.check(self.test, f"{at}.test")
        super().check(at, catalogue)

    def members(self, sql: Sql) -> Members:
        m = sql.alias()
        select = f"select {m}.contact_id {self.source(sql, m)}"
        if self.test.op in ("filled", "empty"):
            return Members(select, inside=self.test.op == "filled")
        start, end = _ONCE.window(self.test, sql.world.moment)
        # Beyond the border on the near side nothing can be the last or the first that is asked for.
        near, far = (start, end) if self.which == "last" else (end, start)
        sign = ">=" if self.which == "last" else "<"
        if near is not None:
            select += f" and {m}.at {sign} {sql.bind(near, 'timestamptz')}"
        if far is None:
            return Members(select)
        extreme, other = ("max", "<") if self.which == "last" else ("min", ">=")
        having = f"{extreme}({m}.at) {other} {sql.bind(far, 'timestamptz')}"
        return Members(f"{select} group by {m}.contact_id having {having}")

    def found(self, person: Person, world: World) -> Any:
        times = [message.at for message in self.times_of(person, world)]
        if not times:
            return None
        return max(times) if self.which == "last" else min(times)

    def holds(self, person: Person, world: World) -> bool:
        return _ONCE.holds(self.found(person, world), self.test, world.moment)
