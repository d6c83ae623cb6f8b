"""Which product an event of a visit is about. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from perigee.errors import Invalid
from perigee.lib import json_edge
from perigee.lib.text import clean_or_none

VIEWED = "productViewed"
"""Key of the event type (TRACKING 3)."""

_NAMES = ("productid", "productkey", "product_id")


def products_viewed(visits: Iterable[Mapping[str, Any]]) -> list[str]:
    """Product ids of parameters of events, in their order, each once."""
    found = (product_of(params) for params in visits)
    return list(dict.fromkeys(product_id for product_id in found if product_id is not None))


def product_of(params: Mapping[str, Any]) -> str | None:
    """The id stands in `product`, an object or its JSON text, or beside it."""
    small = {name.lower(): value for name, value in params.items()}
    product = small.get("product")
    if isinstance(product, str):
        product = _decoded(product)
    if isinstance(product, Mapping):
        small = {name.lower(): value for name, value in product.items()} | {"product": None}
    return next((text for name in _NAMES if (text := _text(small.get(name))) is not None), None)


def _decoded(text: str) -> Any:
    try:
        return json_edge.decode(text.encode())
    except Invalid:
        return None


def _text(value: Any) -> str | None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return clean_or_none(str(value))
