"""DKIM signatures: a foreign verifier accepts them, and every change of what they cover breaks them."""

from __future__ import annotations

import re
import time
from base64 import b64encode

import dkim
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perigee.domains import keys
from perigee.domains.sign import SIGNED, Signer, relaxed_body
from perigee.lib.tokens import InvalidToken

DOMAIN = "shop.example.com"
NOW = int(time.time())
"""The verifier looks at the clock: a signature holds for two weeks."""
PAIR = keys.make_pair()
SIGNER = Signer(DOMAIN, PAIR.selector, PAIR.rsa, PAIR.ed)
RAW = (
    b"Date: Mon, 21 Sep 2026 13:33:20 +0000\r\nMessage-ID: <1@shop.example.com>\r\n"
    b'From: "Example Shop" <news@shop.example.com>\r\nTo: anna@example.org\r\n'
    b"Subject: =?utf-8?B?0J3QvtCy0LjQvdC4?=\r\n =?utf-8?Q?_of_the_week?=\r\n"
    b"MIME-Version: 1.0\r\nList-Id: <1.shop.example.com>\r\nFeedback-ID: 1:1:bulk:perigee\r\nPrecedence: bulk\r\n"
    b"List-Unsubscribe: <https://perigee.test/u/1>, <mailto:u-1@shop.example.com?subject=unsubscribe>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b'Content-Type: multipart/alternative;\r\n boundary="=_1"\r\n\r\n'
    b"--=_1\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nTwo  blanks,\ta tab \r\n\r\n--=_1--\r\n"
)
SIGNATURES = {"rsa": 0, "ed": 1}


def published(name: bytes, timeout: int = 5) -> bytes | None:
    """The DNS as the owner of the domain would set it up."""
    rsa, ed = keys.selectors(PAIR.selector)
    return {
        f"{rsa}._domainkey.{DOMAIN}.": f"v=DKIM1; k=rsa; p={PAIR.rsa_public}".encode(),
        f"{ed}._domainkey.{DOMAIN}.": f"v=DKIM1; k=ed25519; p={PAIR.ed_public}".encode(),
    }.get(name.decode())


def verified(message: bytes, which: str = "rsa") -> bool:
    try:
        return bool(dkim.DKIM(message).verify(idx=SIGNATURES[which], dnsfunc=published))
    except dkim.DKIMException:
        return False


@pytest.fixture(params=["rsa", "ed"])
def which(request: pytest.FixtureRequest) -> str:
    if request.param == "ed":
        pytest.importorskip("nacl", reason="dkimpy reads Ed25519 with it")
    return str(request.param)


def test_both_signatures_verify(which: str) -> None:
    assert verified(SIGNER.sign(RAW, NOW), which)


def test_the_message_itself_is_unchanged() -> None:
    assert SIGNER.sign(RAW, NOW).endswith(b"\r\n" + RAW)


def test_one_click_headers_are_covered_and_every_name_stands_once_more_than_the_header(which: str) -> None:
    signed = SIGNER.sign(RAW, NOW)
    fields = re.findall(rb"[ ;]h=([^;]*);", signed)
    names = b"".join(fields[SIGNATURES[which]].split()).decode().split(":")
    head = RAW.partition(b"\r\n\r\n")[0].lower()
    for name in SIGNED:
        present = len(re.findall(rb"(?m)^" + name.encode() + b":", head))
        assert names.count(name) == present + 1, name
    assert {"list-unsubscribe", "list-unsubscribe-post"} < set(SIGNED)


@pytest.mark.parametrize("name", [name for name in SIGNED if f"\r\n{name}:".encode() in RAW.lower()])
def test_a_changed_header_breaks_it(name: str, which: str) -> None:
    signed = SIGNER.sign(RAW, NOW)
    changed = re.sub(rb"(?i)(\r\n" + name.encode() + b": )", rb"\1X", signed, count=1)
    assert changed != signed
    assert not verified(changed, which)


@pytest.mark.parametrize("name", SIGNED)
def test_an_added_header_breaks_it(name: str, which: str) -> None:
    signed = SIGNER.sign(RAW, NOW)
    head, _, body = signed.partition(b"\r\n\r\n")
    assert not verified(head + f"\r\n{name}: other@example.org\r\n\r\n".encode() + body, which)
    assert not verified(f"{name}: other@example.org\r\n".encode() + signed, which)


def test_a_changed_body_breaks_it(which: str) -> None:
    assert not verified(SIGNER.sign(RAW, NOW).replace(b"Two", b"Too"), which)


def test_what_relays_do_to_blanks_does_not_break_it(which: str) -> None:
    signed = SIGNER.sign(RAW, NOW)
    relayed = (
        signed.replace(b"Subject: ", b"SUBJECT:   ").replace(b"Two  blanks", b"Two blanks") + b"\r\n\r\n"
    )
    assert relayed != signed
    assert verified(relayed, which)


def test_lines_stay_short_and_none_begins_with_a_dot() -> None:
    head = SIGNER.sign(RAW, NOW).removesuffix(RAW)
    assert max(map(len, head.split(b"\r\n"))) <= 78
    assert b"\r\n." not in head


def test_no_length_is_given_and_the_time_is_limited() -> None:
    head = SIGNER.sign(RAW, NOW).removesuffix(RAW).decode()
    assert head.count(f" t={NOW}; x={NOW + 14 * 86_400};") == 2
    assert not re.search(r"[ ;]l=", head)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([b"a", b"b.c", b" ", b"  ", b"\t", b"\r\n"]), max_size=12).map(b"".join))
def test_bodies_are_read_as_the_verifier_reads_them(body: bytes) -> None:
    body += b"\r\n"  # as everything on the wire ends
    assert relaxed_body(body) == dkim.canonicalization.Relaxed.canonicalize_body(body)
    head = RAW.partition(b"\r\n\r\n")[0]
    assert verified(SIGNER.sign(head + b"\r\n\r\n" + body, NOW))


def test_private_keys_open_in_their_own_row_only() -> None:
    sealing = bytes(range(32))
    stored = keys.sealed(sealing, 7, DOMAIN, PAIR)
    rsa, ed = keys.unsealed(sealing, 7, DOMAIN, PAIR.selector, stored)
    assert Signer(DOMAIN, PAIR.selector, rsa, ed).sign(RAW, NOW) == SIGNER.sign(RAW, NOW)
    assert b64encode(ed.public_key().public_bytes_raw()).decode() == PAIR.ed_public
    for org_id, domain, selector in (
        (8, DOMAIN, PAIR.selector),
        (7, "other.example.com", PAIR.selector),
        (7, DOMAIN, "other"),
    ):
        with pytest.raises(InvalidToken):
            keys.unsealed(sealing, org_id, domain, selector, stored)


def test_no_two_pairs_share_a_selector_or_key() -> None:
    other = keys.make_pair()
    assert {other.selector, other.rsa_public, other.ed_public}.isdisjoint(
        {PAIR.selector, PAIR.rsa_public, PAIR.ed_public}
    )
