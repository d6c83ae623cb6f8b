"""A send as a sending process holds it: frozen content, compiled once, and the people of a batch made ready."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

import msgspec

from perigee.db.pool import Connection, Database
from perigee.db.queries import load
from perigee.delivery import data
from perigee.delivery.channel import Outcome, Outgoing, Reason, Receipt
from perigee.delivery.data import NOTHING, Given, Somebody
from perigee.delivery.frequency import NONE, Limits, limits
from perigee.delivery.hours import Hours, wait
from perigee.delivery.lease import Lane, Lease
from perigee.delivery.rendering import Content, Renderer, compile_content, renderers
from perigee.delivery.rules import Channel as RuleChannel
from perigee.delivery.rules import SendingRules, of_stored
from perigee.delivery.suppression import ADDRESS_KIND, Drop, by_token, reason_case, recipients_from
from perigee.domains.outfit import Wardrobes
from perigee.errors import NotFound, PerigeeError
from perigee.files import preprocessor
from perigee.keys import Keys
from perigee.messages.compile import Compiled
from perigee.messages.language import pick_language
from perigee.messages.person import Person
from perigee.messages.short_links import CHANNELS as SHORT

q = load(__package__)


@dataclass(slots=True)
class Prepared:
    """A recipient ready to be rendered. `address` is the normal form, by which ledger and consent know it; the message
    goes to `mailbox`, as its owner spells it. `copy`: somebody before in the batch has the address too; the ledger, which
    holds an address once per send, then names the contact alone."""

    contact_id: int
    address: str
    mailbox: str
    language: str
    person: Person
    renderer: Renderer
    copy: bool = False


class Part(NamedTuple):
    """Messages of a send, by their ordinals, that have a content of their own; None: it is not decided yet."""

    first: int
    last: int
    content: Content | None
    renderers: Mapping[str, Renderer]


class Reached(NamedTuple):
    """Where a recipient is reached (see `Prepared`), and the row that `Person.from_row` takes."""

    address: str
    mailbox: str
    row: tuple[Any, ...]


class Wait(NamedTuple):
    """Somebody who may be sent to later: in so many seconds, and why not now. No attempt is counted."""

    seconds: float
    reason: str


def _reached(channel: str, row: tuple[Any, ...]) -> Reached | None:
    """The contact's one address of this channel; None when it has none."""
    contact_id, email, phone, spelling = row[:4]
    match ADDRESS_KIND.get(channel):
        case "email":
            return Reached(email, spelling or email, row) if email else None
        case "phone":
            return Reached(phone, phone, row) if phone else None
    return Reached(str(contact_id), str(contact_id), row)


class Send:
    def __init__(
        self,
        *,
        org_id: int,
        send_id: int,
        started_at: datetime,
        kind: str,
        channel: str,
        marketing: bool,
        provider_id: int,
        content: Content,
        renderers: Mapping[str, Renderer],
        rules: SendingRules,
        hours: Hours | None,
        zone: ZoneInfo,
        credits: int = 0,
        parts: Sequence[Part] = (),
    ) -> None:
        self.org_id = org_id
        self.send_id = send_id
        self.started_at = started_at
        self.kind = kind
        self.channel = channel
        self.marketing = marketing
        self.provider_id = provider_id
        self.content = content
        self._renderers = renderers
        allowed = (rules.hours.get(cast("RuleChannel", channel)), hours) if marketing else ()
        self._hours = [one for one in allowed if one is not None]
        self._zone = zone
        self._refusals = 0
        self._credits = credits
        self._parts = parts
        self.decided = all(part.content is not None for part in parts)
        self._suppression = _suppression_query(channel, limits(rules, channel) if marketing else NONE)
        contents = [content, *(part.content for part in parts if part.content is not None)]
        self._recommends = preprocessor.NAME.encode() in msgspec.json.encode(contents)

    def count_refusals(self, more: int) -> int:
        """Refusals of the message or its sender that this process has seen, the new ones included."""
        self._refusals += more
        return self._refusals

    def forget_refusals(self) -> None:
        self._refusals = 0

    def contact_of(self, recipient: int) -> int:
        """For the ledger line of somebody who is gone: the contact, 0 when only a token was known."""
        return 0 if by_token(self.channel) else recipient

    async def load(self, database: Database, lease: Lease) -> dict[int, Prepared]:
        """The people of what is left of a batch, by index; who has no contact or address any more is missing."""
        indexes = range(lease.position, len(lease.recipients))
        async with database.connection() as connection:
            reached = await self._reach(connection, lease.recipients[lease.position :])
            present = {
                index: found
                for index in indexes
                if (found := reached.get(lease.recipients[index])) is not None
            }
            people = [Somebody(lease.ordinals[index], found.row[1]) for index, found in present.items()]
            given = await self.given(connection, people)
        prepared: dict[int, Prepared] = {}
        seen: set[str] = set()
        for index, found in present.items():
            ordinal = lease.ordinals[index]
            one = prepared[index] = self._prepare(found, ordinal, given.get(ordinal, NOTHING))
            one.copy = one.address in seen
            seen.add(one.address)
        return prepared

    async def given(self, connection: Connection, people: Sequence[Somebody]) -> dict[int, Given]:
        """What templates can say of these people beyond their contact, by ordinal."""
        return await data.load(
            connection, self.org_id, self.send_id, self.kind, people, recommendations=self._recommends
        )

    async def _reach(self, connection: Connection, ids: Sequence[int]) -> dict[int, Reached]:
        values = {"org_id": self.org_id, "ids": ids}
        if by_token(self.channel):
            rows = await (await connection.execute(q.load_token_people, values)).fetchall()
            return {row[0]: Reached(row[1], row[1], row[2:]) for row in rows}
        rows = await (await connection.execute(q.load_people, values)).fetchall()
        return {row[0]: found for row in rows if (found := _reached(self.channel, row))}

    def _prepare(self, found: Reached, ordinal: int, given: Given) -> Prepared:
        person = Person.from_row(found.row, given.data)
        content, renderers = self._of(ordinal)
        language = pick_language(renderers, (given.language, person.language), content.default)
        return Prepared(
            person.contact_id, found.address, found.mailbox, language, person, renderers[language]
        )

    def _of(self, ordinal: int) -> tuple[Content, Mapping[str, Renderer]]:
        for part in self._parts:
            if part.first <= ordinal <= part.last and part.content is not None:
                return part.content, part.renderers
        return self.content, self._renderers

    async def suppressed(
        self, database: Database, lease: Lease, indexes: Sequence[int]
    ) -> dict[int, str | Wait]:
        """Recipients that must not be sent to, as of this moment, with the reason, and those who must wait."""
        async with database.connection() as connection:
            cursor = await connection.execute(
                self._suppression,
                {
                    "org_id": self.org_id,
                    "ids": [lease.recipients[index] for index in indexes],
                    "marketing": self.marketing,
                    "categories": self.content.categories,
                    "bulk": self.kind == "campaign",
                    "app_id": None,
                    "send_id": self.send_id,
                    "credits": self._credits,
                },
            )
            return {
                recipient: reason or Wait(seconds, Drop.FREQUENCY)
                for recipient, reason, seconds in await cursor.fetchall()
            }

    def clocks(self, now: datetime) -> Callable[[Prepared], Wait | str | None]:
        """Who is outside of the allowed hours at `now`: how long they wait, or why they are not sent to at all."""
        if not self._hours:
            return lambda _: None
        by_zone: dict[str | None, Wait | str | None] = {}

        def judge(prepared: Prepared) -> Wait | str | None:
            zone = prepared.person.time_zone
            if zone not in by_zone:
                waiting = wait(self._hours, self._zone if zone is None else ZoneInfo(zone), now)
                seconds = None if waiting is None else waiting.total_seconds()
                by_zone[zone] = (
                    Drop.QUIET_HOURS
                    if seconds is None
                    else Wait(seconds, Drop.QUIET_HOURS)
                    if seconds
                    else None
                )
            return by_zone[zone]

        return judge

    def outgoing(
        self,
        lease: Lease,
        index: int,
        prepared: Prepared,
        allow_send: Callable[[], bool],
        fresh_until: float,
    ) -> Outgoing | Receipt:
        """The message, rendered; or the refusal of a message that cannot be rendered for this person."""
        ordinal = lease.ordinals[index]
        try:
            rendered = prepared.renderer.render(prepared.person, prepared.mailbox, ordinal)
        except PerigeeError as error:
            return Receipt(Outcome.FAILED, Reason.BAD_MESSAGE, error.message[:500])
        return Outgoing(
            org_id=self.org_id,
            send_id=self.send_id,
            ordinal=ordinal,
            contact_id=prepared.contact_id,
            address=prepared.mailbox,
            iid=rendered.iid,
            sender=rendered.sender,
            payload=rendered.payload,
            allow_send=allow_send,
            fresh_until=fresh_until,
            single=lease.lane == Lane.SINGLE,
        )

    def web_version(self, row: tuple[Any, ...], language: str | None, ordinal: int, given: Given) -> str:
        """The HTML part as this person got it, for the browser. Raises NotFound for channels without one."""
        person = Person.from_row(row, given.data)
        wanted = (language, given.language, person.language)
        content, renderers = self._of(ordinal)
        chosen = pick_language(renderers, wanted, content.default)
        return renderers[chosen].web_version(person, ordinal)


def _suppression_query(channel: str, often: Limits) -> str:
    recipient = "a.token_id" if by_token(channel) else "c.contact_id"
    return f"""
select recipient, reason, extract(epoch from until - now())::float8 from (
    select {recipient} as recipient, {reason_case(channel, often)} as reason, {often.until} as until
    {recipients_from(channel, often)}
) judged where reason is not null or until is not null"""  # noqa: S608


class Sends:
    """The sends a process works on, compiled once each and kept while they are in use."""

    KEEP = 64
    REFRESH_SECONDS = 300.0

    def __init__(
        self, database: Database, keys: Keys, public_url: str, *, bounce_domain: str = "", short_url: str = ""
    ) -> None:
        """`bounce_domain`: the operator's, for sender domains without one of their own in order; `short_url`: his too,
        for organisations without a short address."""
        self._database = database
        self._wardrobes = Wardrobes(keys.sealing, bounce_domain)
        self._keys = keys
        self._public_url = public_url
        self._short_url = short_url
        self._compiled = CompiledContents(public_url)
        self._kept: OrderedDict[tuple[int, int], tuple[float, Send]] = OrderedDict()

    async def get(self, org_id: int, send_id: int) -> Send:
        """Raises NotFound, and Invalid when the message does not compile."""
        key = (org_id, send_id)
        kept = self._kept.get(key)
        if kept is not None and time.monotonic() - kept[0] < self.REFRESH_SECONDS:
            self._kept.move_to_end(key)
            return kept[1]
        send = await self._load(org_id, send_id)
        if not send.decided:
            return send  # its rest gets a content at any moment
        self._kept[key] = (time.monotonic(), send)
        while len(self._kept) > self.KEEP:
            self._kept.popitem(last=False)
        return send

    async def _load(self, org_id: int, send_id: int) -> Send:
        async with self._database.connection() as connection:
            row = await (
                await connection.execute(q.get_send, {"org_id": org_id, "send_id": send_id})
            ).fetchone()
            if row is None:
                raise NotFound(f"send {send_id} does not exist")
            _, started_at, kind, channel, campaign_id, _, marketing, provider_id, _, digest, tags, *rest = row
            zone, rules, hours, credits, service, varied, short_url = rest
            wardrobe = await self._wardrobes.load(connection, org_id)

            async def render(part: bytes) -> tuple[Content, Mapping[str, Renderer]]:
                content, compiled = await self._compiled.get(
                    connection,
                    org_id,
                    part,
                    channel,
                    campaign_id=campaign_id,
                    marketing=marketing,
                    tag_links=tags is not None,
                )
                made = renderers(
                    compiled,
                    content,
                    keys=self._keys,
                    public_url=self._public_url,
                    org_id=org_id,
                    send_id=send_id,
                    tags=tags,
                    wardrobe=wardrobe,
                    service=service,
                    short_url=(short_url or self._short_url) if channel in SHORT else None,
                )
                return content, made

            content, made = await render(bytes(digest))
            values = {"org_id": org_id, "send_id": send_id}
            variants = await (await connection.execute(q.send_variants, values)).fetchall() if varied else []
            parts = [
                Part(first, last, *(await render(bytes(own)) if own is not None else (None, {})))
                for first, last, own, _ in variants
            ]
        return Send(
            org_id=org_id,
            send_id=send_id,
            started_at=started_at,
            kind=kind,
            channel=channel,
            marketing=marketing,
            provider_id=provider_id,
            content=content,
            renderers=made,
            rules=of_stored(rules),
            hours=None if hours is None else msgspec.convert(hours, Hours),
            zone=ZoneInfo(zone),
            credits=credits,
            parts=parts,
        )


class CompiledContents:
    """Contents that were compiled lately: many sends of one template compile it once."""

    KEEP = 64

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url
        self._kept: OrderedDict[tuple[Any, ...], tuple[Content, dict[str, Compiled]]] = OrderedDict()

    async def get(
        self,
        connection: Connection,
        org_id: int,
        digest: bytes,
        channel: str,
        *,
        campaign_id: int | None,
        marketing: bool,
        tag_links: bool,
    ) -> tuple[Content, dict[str, Compiled]]:
        """Raises Invalid when the message does not compile."""
        key = (org_id, digest, campaign_id, marketing, tag_links)
        if (kept := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return kept
        row = await (await connection.execute(q.get_content, {"org_id": org_id, "digest": digest})).fetchone()
        if row is None:
            raise NotFound("the content of this send does not exist")
        content = msgspec.convert(row[0], Content)
        compiled = compile_content(
            channel,
            content,
            public_url=self._public_url,
            org_id=org_id,
            campaign_id=campaign_id,
            marketing=marketing,
            tag_links=tag_links,
        )
        self._kept[key] = content, compiled
        while len(self._kept) > self.KEEP:
            self._kept.popitem(last=False)
        return content, compiled
