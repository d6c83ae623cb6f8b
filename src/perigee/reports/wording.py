"""By what a person recognises a message: the subject of an email, the text of a short message, as they got it.

Nothing of it is stored: it is rendered again from the send's frozen content for the person as they are now, as the web
version of an email is. Links stay what they lead to, so that a reader of the history counts no clicks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from perigee.db.pool import Connection
from perigee.db.queries import load
from perigee.errors import PerigeeError
from perigee.keys import Keys
from perigee.messages.links import SignedLinks
from perigee.messages.person import Names, Person
from perigee.messages.rendering import Rendering, Script
from perigee.messages.sources import Sources
from perigee.messages.version import CompileOptions
from perigee.reports.history import Entry

q = load(__package__)

Version = tuple[int, str | None]
"""A send and a language."""


async def word(
    conn: Connection, org_id: int, entries: Sequence[Entry], keys: Keys, public_url: str
) -> list[str | None]:
    """One text per entry; None where there is none any more."""
    scripts = await _scripts(conn, org_id, entries, public_url)
    readers = await _readers(conn, org_id, entries)
    return [
        _render(
            scripts.get((one.message.send_id, one.message.language)),
            readers.get((one.message.send_id, one.message.ordinal)),
            one,
            SignedLinks(keys.links, public_url, org_id, one.message.send_id),
        )
        for one in entries
    ]


async def _scripts(
    conn: Connection, org_id: int, entries: Sequence[Entry], public_url: str
) -> dict[Version, Script | str]:
    """Compiled, or as it was written where it does not compile."""
    wanted = sorted({(one.message.send_id, one.message.language) for one in entries}, key=str)
    cursor = await conn.execute(
        q.wordings,
        {
            "org_id": org_id,
            "sends": [send_id for send_id, _ in wanted],
            "languages": [language for _, language in wanted],
        },
    )
    return {
        (send_id, language): _compile(
            text,
            engine,
            CompileOptions(
                public_url, personalise=personalise, names=Names(field_keys, {"message_name": name})
            ),
        )
        for send_id, language, text, engine, personalise, field_keys, name in await cursor.fetchall()
        if text is not None
    }


def _compile(text: str, engine: str, options: CompileOptions) -> Script | str:
    try:
        return Sources(engine, options, track=False).text(text, "text")
    except PerigeeError:
        return text


async def _readers(
    conn: Connection, org_id: int, entries: Sequence[Entry]
) -> Mapping[tuple[int, int], Person]:
    cursor = await conn.execute(
        q.readers,
        {
            "org_id": org_id,
            "sends": [one.message.send_id for one in entries],
            "ordinals": [one.message.ordinal for one in entries],
            "contacts": [one.message.contact_id for one in entries],
        },
    )
    return {
        (send_id, ordinal): Person.from_row(row, data or {})
        for send_id, ordinal, data, *row in await cursor.fetchall()
    }


def _render(
    script: Script | str | None, reader: Person | None, entry: Entry, links: SignedLinks
) -> str | None:
    if script is None or isinstance(script, str):
        return script
    message = entry.message
    person = reader or Person()
    rendering = Rendering(person, links.of(message.ordinal, message.contact_id), int(message.at.timestamp()))
    try:
        return script.text(rendering)
    except PerigeeError:
        return None
