"""What imports keep of people: rows still to be applied, the mapping to contact ids, sentences of refusals. Pure."""

from __future__ import annotations

import zlib
from typing import Any

import msgspec

from perigee.contacts.erasure.person import Names
from perigee.contacts.import_store import FAST
from perigee.contacts.rows import ContactRow

_pack = msgspec.msgpack.Encoder().encode
_rows = msgspec.msgpack.Decoder(list[ContactRow]).decode
_mapping = msgspec.msgpack.Decoder(tuple[list[str], list[int]]).decode


def payload(stored: bytes | None, names: Names) -> bytes | None:
    """Without the rows of these people: what was handed in before an erasure must not bring them back after it."""
    if stored is None:
        return None
    rows = _rows(zlib.decompress(stored))
    kept = [row for row in rows if not _is_theirs(row, names)]
    return stored if len(kept) == len(rows) else zlib.compress(_pack(kept), FAST)


def _is_theirs(row: ContactRow, names: Names) -> bool:
    if row.external_id is not None:
        return row.external_id in names.external_ids
    return (
        row.contact_id in names.contact_ids
        or row.email in names.emails
        or (row.email is None and row.phone in names.phones)
    )


def mapping(stored: bytes | None, names: Names) -> bytes | None:
    """Without the pairs of these people."""
    if stored is None:
        return None
    values, ids = _mapping(stored)
    kept = [
        (value, contact_id)
        for value, contact_id in zip(values, ids, strict=True)
        if contact_id not in names.contact_ids and value.lower() not in names.values
    ]
    if len(kept) == len(ids):
        return stored
    return _pack(([value for value, _ in kept], [contact_id for _, contact_id in kept]))


def failures(stored: list[Any], names: Names) -> list[Any]:
    """Sentences that name them say only that somebody was refused."""
    return [sentence if not _names(str(sentence), names) else "a refused contact" for sentence in stored]


def _names(sentence: str, names: Names) -> bool:
    said = sentence.lower()
    return any(text in said for text in names.texts) or any(
        f"'{value.lower()}'" in said for value in names.external_ids
    )


def needles(names: Names) -> list[bytes]:
    """Pieces of a packed mapping that names one of them: values and ids, as msgpack writes them."""
    return [*map(_pack, sorted(names.contact_ids)), *names.needles]
