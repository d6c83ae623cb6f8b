"""Which contacts an import has touched: ids as bits, since they come from one sequence and lie close together.

A million people take from 125 KB, where they are new, to some 10 MB, where they are strewn over eighty million ids.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

_PAGE: Final = 1 << 16


class Seen:
    def __init__(self) -> None:
        self._pages: dict[int, bytearray] = {}

    def add(self, ids: Iterable[int]) -> None:
        for one in ids:
            page = self._pages.get(one // _PAGE)
            if page is None:
                page = self._pages[one // _PAGE] = bytearray(_PAGE // 8)
            place = one % _PAGE
            page[place >> 3] |= 1 << (place & 7)

    def __contains__(self, one: int) -> bool:
        page = self._pages.get(one // _PAGE)
        if page is None:
            return False
        place = one % _PAGE
        return bool(page[place >> 3] >> (place & 7) & 1)
