"""Addresses with ports."""

from __future__ import annotations

import pytest

from perigee.lib.endpoints import parse_endpoints


def test_ports_are_optional_and_ipv6_stands_in_brackets_with_one() -> None:
    assert parse_endpoints("9.9.9.9, 127.0.0.1:5353 ::1 [::1]:54 [::2]", 53) == (
        ("9.9.9.9", 53),
        ("127.0.0.1", 5353),
        ("::1", 53),
        ("::1", 54),
        ("::2", 53),
    )
    assert parse_endpoints(" ", 53) == ()


@pytest.mark.parametrize(
    "text", ["dns.example.com", "9.9.9.9:", "9.9.9.9:0", "9.9.9.9:65536", "9.9.9.9:x", "[::1", "[::1]53"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_endpoints(text, 53)
