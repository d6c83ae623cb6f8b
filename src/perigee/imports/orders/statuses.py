"""Words of shops for the state of an order. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from perigee.imports.reader.detect import fold
from perigee.orders.clean import clean_status

_MEANINGS: Final = {
    "INITIALIZED": ("new", "created", "pending", "новый", "нове", "новий"),
    "IN_PROGRESS": ("processing", "in progress", "shipped", "sent", "в обработке", "в работе", "отправлен", "в обробці",
        "в роботі", "відправлено"),
    "DELIVERED": ("completed", "complete", "done", "fulfilled", "доставлен", "доставлено", "выполнен", "завершен",
        "виконано", "завершено"),
    "CANCELLED": ("canceled", "cancelled", "refunded", "returned", "отменен", "отменён", "возврат", "скасовано",
        "повернення"),
    "ABANDONED_SHOPPING_CART": ("abandoned", "abandoned cart", "брошенная корзина", "покинутий кошик"),
}  # fmt: skip
_KNOWN: Final = {fold(word): status for status, words in _MEANINGS.items() for word in (status, *words)}


def status_words(said: Mapping[str, str]) -> dict[str, str]:
    """Status by folded word: what a caller says goes before what we know. Raises Invalid."""
    return _KNOWN | {fold(word): clean_status(status) for word, status in said.items()}
