"""RFC 8291: what we encrypt, the browser opens, and nobody else."""

from __future__ import annotations

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from perigee.delivery.channels.webpush.encryption import LARGEST, encrypt
from perigee.delivery.channels.webpush.tests.service import P256, Browser, raw

BROWSER = Browser()


def key(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(raw(text), "big"), P256)


def test_the_example_of_the_rfc() -> None:
    browser = Browser(key("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), raw("BTBZMqHH6r4Tts7J_aSIgg"))
    body = encrypt(
        b"When I grow up, I want to be a watermelon",
        browser.p256dh,
        browser.auth,
        private=key("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"),
        salt=raw("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert body == raw(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_y"
        "l95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@given(st.binary(max_size=LARGEST))
def test_the_browser_reads_what_was_written(text: bytes) -> None:
    assert BROWSER.open(encrypt(text, BROWSER.p256dh, BROWSER.auth)) == text


def test_the_largest_message_fills_4096_bytes_and_a_larger_one_is_refused() -> None:
    assert len(encrypt(b"x" * LARGEST, BROWSER.p256dh, BROWSER.auth)) == 4096
    with pytest.raises(ValueError, match="3993"):
        encrypt(b"x" * (LARGEST + 1), BROWSER.p256dh, BROWSER.auth)


def test_each_message_has_its_own_key_and_salt() -> None:
    first, second = (encrypt(b"the same", BROWSER.p256dh, BROWSER.auth) for _ in range(2))
    assert first[:16] != second[:16]
    assert first[21:86] != second[21:86]


def test_another_browser_cannot_read_it() -> None:
    body = encrypt(b"for one", BROWSER.p256dh, BROWSER.auth)
    for other in (Browser(), Browser(BROWSER.private), Browser(auth=BROWSER.auth)):
        with pytest.raises(InvalidTag):
            other.open(body)


@pytest.mark.parametrize("point", [b"", b"\x04" + bytes(64), b"\x04" + b"\x01" * 64])
def test_a_key_that_is_not_on_the_curve_is_refused(point: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # the words are the library's
        encrypt(b"x", point, BROWSER.auth)
