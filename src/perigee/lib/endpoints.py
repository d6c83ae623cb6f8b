"""Addresses with ports, as operators write them."""

from __future__ import annotations

from ipaddress import ip_address


def parse_endpoints(text: str, port: int) -> tuple[tuple[str, int], ...]:
    """`9.9.9.9 127.0.0.1:5353 [::1]:53`, separated by spaces or commas; `port` where none is named. Raises ValueError."""
    return tuple(_endpoint(part, port) for part in text.replace(",", " ").split())


def _endpoint(text: str, port: int) -> tuple[str, int]:
    host, number = text, str(port)
    if text.startswith("["):
        host, closed, after = text[1:].partition("]")
        if not closed or after[:1] not in ("", ":"):
            raise ValueError(text)
        number = after[1:] if after else number
    elif text.count(":") == 1:
        host, _, number = text.partition(":")
    ip_address(host)
    if not (number.isascii() and number.isdecimal() and 0 < int(number) < 65536):
        raise ValueError(text)
    return host, int(number)
