"""What happens to messages: where it is written down, and the narrowing that all conditions on it share.

`sent` and `unavailable` (dropped before a provider was asked) come from the ledger, all else from the activity: a
late bounce has failed too, who clicked has opened even with images off, and the hits of machines are nobody's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from perigee.errors import Invalid
from perigee.segments.comparisons import MAX_VALUES, Comparison, check_text
from perigee.segments.dates import Period
from perigee.segments.languages import check_languages, in_languages, language_sql
from perigee.segments.leaves.clock import check_clock, clock_holds, clock_sql
from perigee.segments.leaves.leaf import Name, SetLeaf
from perigee.segments.moments import Instants, Moment
from perigee.segments.person import Happening, Message, Needs, Person
from perigee.segments.sql import Sql, both
from perigee.segments.world import Catalogue

PERIOD = Period()
_WILD = re.compile(r"[%_\\]")
"""Signs with a meaning in `like`."""
Channel = Literal["email", "sms", "viber", "mobilepush", "webpush", "appinbox", "telegram", "webhook"]
SendKind = Literal["campaign", "single", "test"]


class Source(NamedTuple):
    """Where a happening is written down, and its values there: outcomes of a delivery, statuses of an activity."""

    table: Literal["delivery", "activity"]
    values: tuple[str, ...]

    @property
    def column(self) -> str:
        return "outcome" if self.table == "delivery" else "status"


SOURCES: Mapping[Happening, Source] = {
    "sent": Source("delivery", ("sent",)),
    "unavailable": Source("delivery", ("dropped",)),
    "failed": Source("activity", ("UNDELIVERED",)),
    "delivered": Source("activity", ("DELIVERED",)),
    "opened": Source("activity", ("READ", "CLICKED")),
    "clicked": Source("activity", ("CLICKED",)),
    "unsubscribed": Source("activity", ("UNSUBSCRIBED",)),
    "complained": Source("activity", ("SPAM",)),
}


class MessageFilter(SetLeaf, frozen=True, kw_only=True):
    """Which messages count. Members that are absent or empty narrow nothing; those of one condition all apply.

    `tags` and `categories`: at least one of the message's; those of its categories that it has now. `variant`: the
    number of an experiment's variant, 0 for its rest. `languages`: the version sent, with every region of a language
    named without one. `domains`: of the address it went to. `period`, `hours`, `weekdays`: when it happened.
    """

    channel: Channel | None = None
    kinds: tuple[SendKind, ...] = ()
    campaigns: tuple[int, ...] = ()
    messages: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    variant: int | None = None
    languages: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    period: Comparison | None = None
    hours: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()

    def names(self) -> Iterable[Name]:
        for key in self.categories:
            yield "category", key
        for campaign_id in self.campaigns:
            yield "campaign", campaign_id
        for message_id in self.messages:
            yield "message", message_id

    def check(self, at: str, catalogue: Catalogue) -> None:
        for name in ("kinds", "campaigns", "messages", "tags", "categories", "languages", "domains"):
            given: Sequence[int | str] = getattr(self, name)
            if len(given) > MAX_VALUES:
                raise Invalid(f"{at}.{name}: must hold at most {MAX_VALUES} values, has {len(given)}")
        for name in ("tags", "domains"):
            for n, text in enumerate(getattr(self, name)):
                check_text(text, f"{at}.{name}[{n}]", 255)
        self._check_names(at, catalogue)
        check_languages(self.languages, f"{at}.languages")
        if self.variant is not None and not 0 <= self.variant <= 8:
            raise Invalid.of(f"{at}.variant", self.variant, "must be a whole number from 0 to 8")
        if self.domains and self.channel not in (None, "email"):
            raise Invalid.of(
                f"{at}.domains", list(self.domains), f"are not taken with channel '{self.channel}'"
            )
        check_clock(self.hours, self.weekdays, at)
        if self.period is not None:
            PERIOD.check(self.period, f"{at}.period")

    def _check_names(self, at: str, catalogue: Catalogue) -> None:
        for name, given, known, what in (
            ("categories", self.categories, catalogue.categories, "the key of a subscription category"),
            ("campaigns", self.campaigns, catalogue.campaigns, "the id of a campaign"),
            ("messages", self.messages, catalogue.messages, "the id of a message"),
        ):
            for n, value in enumerate(given):
                if value not in known:
                    raise Invalid.of(f"{at}.{name}[{n}]", value, f"is not {what}")

    def need_of(self, needs: Needs, what: Iterable[Happening]) -> None:
        needs.messages.update(what)
        needs.message_details |= bool(self.languages or self.domains or self.variant is not None)

    # -- SQL

    def happenings(self, sql: Sql, m: str, what: Happening, join: str = "") -> str:
        """`from … where …`: a row for each time it happened to a message that counts, as `m`; with what is joined."""
        source = SOURCES[what]
        conditions = [
            f"{m}.org_id = {sql.org}",
            f"{m}.{source.column} = any({sql.bind(list(source.values), 'text[]')})",
            *sql.among(f"{m}.contact_id"),
            *self._of_message(sql, m, source),
        ]
        if source.table == "activity":
            conditions.append(_of_people(m))
        return f"from {source.table} {m} {join} where {both(conditions)}"

    def at_times(self, sql: Sql, m: str, what: Happening) -> list[str]:
        """That `m` happened at the times that count."""
        window = self.window(sql.world.moment)
        conditions = sql.within(f"{m}.at", window)
        if SOURCES[what].table == "delivery" and window.end is not None:
            # Lets partitions of later sends be left out.
            conditions.append(f"{m}.send_started_at < {sql.bind(window.end, 'timestamptz')}")
        return conditions + clock_sql(sql, f"{m}.at", self.hours, self.weekdays)

    def window(self, moment: Moment) -> Instants:
        return Instants(None, None) if self.period is None else PERIOD.window(self.period, moment)

    def _of_message(self, sql: Sql, m: str, source: Source) -> list[str]:
        conditions = self._of_send(sql, m, source)
        if source.table == "activity" and self.channel is not None:
            conditions.append(f"{m}.channel = {sql.bind(self.channel, 'text')}")
        if self.variant is not None:
            v = sql.alias()
            conditions.append(
                f"exists (select from send_variant {v} where {v}.org_id = {sql.org} and {v}.send_id = {m}.send_id "
                f"and {v}.variant = {sql.bind(self.variant, 'bigint')} "
                f"and {m}.ordinal between {v}.first_ordinal and {v}.last_ordinal)"
            )
        return conditions + self._of_ledger(sql, m, source)

    def _of_send(self, sql: Sql, m: str, source: Source) -> list[str]:
        s = sql.alias()
        conditions = []
        if self.channel is not None and source.table == "delivery":
            conditions.append(f"{s}.channel = {sql.bind(self.channel, 'text')}")
        elif self.domains:
            conditions.append(f"{s}.channel = {sql.bind('email', 'text')}")
        if self.kinds:
            conditions.append(f"{s}.kind = any({sql.bind(list(self.kinds), 'text[]')})")
        if self.campaigns:
            conditions.append(f"{s}.campaign_id = any({sql.bind(list(self.campaigns), 'bigint[]')})")
        if self.messages:
            conditions.append(f"{s}.message_id = any({sql.bind(list(self.messages), 'bigint[]')})")
        if self.tags:
            conditions.append(f"{s}.tags && {sql.bind(list(self.tags), 'text[]')}")
        if self.categories:
            t = sql.alias()
            conditions.append(
                f"{s}.message_id in (select {t}.message_id from message {t} where {t}.org_id = {sql.org} "
                f"and {t}.subscriptions_keys && {sql.bind(list(self.categories), 'text[]')})"
            )
        if not conditions:
            return []
        of_org = f"{s}.org_id = {sql.org}"
        return [f"{m}.send_id in (select {s}.send_id from send {s} where {both([of_org, *conditions])})"]

    def _of_ledger(self, sql: Sql, m: str, source: Source) -> list[str]:
        if not self.languages and not self.domains:
            return []
        if source.table == "delivery":
            return self._ledger_line(sql, m)
        d = sql.alias()
        line = [f"{d}.org_id = {sql.org}", *same_message(d, m), *self._ledger_line(sql, d)]
        return [f"exists (select from delivery {d} where {both(line)})"]

    def _ledger_line(self, sql: Sql, d: str) -> list[str]:
        conditions = []
        if self.languages:
            conditions.append(language_sql(sql, f"{d}.language", self.languages))
        if self.domains:
            conditions.append(self._domain_sql(sql, d))
        return conditions

    def _domain_sql(self, sql: Sql, d: str) -> str:
        """Who was dropped at the launch has no address in the ledger."""
        c = sql.alias()
        domains = _folded(self.domains)
        endings = ["%@" + _WILD.sub(r"\\\g<0>", domain) for domain in domains]
        own = f"select {c}.email from contact {c} where {c}.org_id = {sql.org} and {c}.contact_id = {d}.contact_id"
        return (
            f"({d}.address like any({sql.bind(endings, 'text[]')}) or {d}.address is null "
            f"and split_part(({own}), '@', 2) = any({sql.bind(domains, 'text[]')}))"
        )

    # -- one person

    def happened_to(self, person: Person, what: Happening) -> list[Message]:
        """Each time it happened to a message that counts, whenever that was."""
        return [message for message in person.messages.get(what, ()) if self._takes(message)]

    def in_time(self, at: datetime, moment: Moment) -> bool:
        return self.window(moment).holds(at) and clock_holds(at, self.hours, self.weekdays, moment)

    def _takes(self, message: Message) -> bool:
        return (
            self.channel in (None, message.channel)
            and (not self.kinds or message.kind in self.kinds)
            and (not self.campaigns or message.campaign_id in self.campaigns)
            and (not self.messages or message.message_id in self.messages)
            and (not self.tags or not set(self.tags).isdisjoint(message.tags))
            and (not self.categories or not set(self.categories).isdisjoint(message.categories))
            and self.variant in (None, message.variant)
            and (not self.languages or in_languages(message.language, self.languages))
            and (not self.domains or message.domain in _folded(self.domains))
        )


def _of_people(m: str) -> str:
    """No machine's. Most rows have no `meta`, and the planner knows that; of the member alone it knows nothing."""
    no_reason = f"coalesce({m}.meta ->> 'machine', '') = ''"
    return f"({m}.meta is null or not {m}.meta ? 'machine' or {no_reason})"


def same_message(one: str, other: str) -> list[str]:
    """That two rows of ledger or activity are of one message; with the contact, whose index there is."""
    return [f"{one}.{column} = {other}.{column}" for column in ("contact_id", "send_id", "ordinal")]


def _folded(texts: Sequence[str]) -> list[str]:
    return [text.lower() for text in texts]
