"""People who are erased while an import waits or runs: rows of its file that are about them are left out. Pure.

An import keeps no names for that, only keyed hashes, and these until it ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import Final, NamedTuple

from perigee.imports.types import Cleaned, Remark

RULE: Final = "the contact was erased after the import was started"


class Owner(NamedTuple):
    """Whom one item of a block is about, as normalised for a contact, and the lines that made it."""

    lines: Sequence[int]
    contact_id: int | None = None
    external_id: str | None = None
    email: str | None = None
    phone: str | None = None


def marks(key: bytes, identities: Sequence[tuple[str, str]]) -> list[bytes]:
    """`identities`: (id, external_id, email or phone; value)."""
    return [sha256(key + f"{kind}:{value}".encode()).digest() for kind, value in identities]


class Erased:
    def __init__(self, key: bytes, known: Sequence[bytes]) -> None:
        self._key = key
        self._known = frozenset(known)

    def __bool__(self) -> bool:
        return bool(self._known)

    def has(self, owner: Owner) -> bool:
        """An external id decides alone; a phone only where there is no email: numbers are shared."""
        if owner.external_id is not None:
            return self._is_known("external_id", owner.external_id)
        return (
            self._is_known("id", owner.contact_id)
            or self._is_known("email", owner.email)
            or (owner.email is None and self._is_known("phone", owner.phone))
        )

    def _is_known(self, kind: str, value: object) -> bool:
        return value is not None and marks(self._key, [(kind, str(value))])[0] in self._known


def without(cleaned: Cleaned, owners: Sequence[Owner], erased: Erased) -> tuple[Cleaned, int]:
    """The block without their rows, and how many those are. `owners`: of each item."""
    kept = [not erased.has(owner) for owner in owners]
    gone = {line for owner, stays in zip(owners, kept, strict=True) if not stays for line in owner.lines}
    if not gone:
        return cleaned, 0
    left = cleaned._replace(
        lines=[line for line in cleaned.lines if line not in gone],
        items=[item for item, stays in zip(cleaned.items, kept, strict=True) if stays],
        remarks=[
            *(one for one in cleaned.remarks if one.line not in gone),
            *(Remark(line, "skipped", None, None, RULE) for line in sorted(gone)),
        ],
    )
    return left, len(gone)
