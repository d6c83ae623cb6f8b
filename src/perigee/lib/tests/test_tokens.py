import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st

from perigee.lib import tokens
from perigee.lib.tokens import InvalidToken, Sealer, Signer

OLD, NEW = b"o" * 32, b"n" * 32
SIGNER = Signer({1: OLD, 2: NEW}, current=2)
MAILBOX = Signer({1: OLD, 2: NEW}, current=2, case_safe=True)
NUMBERS = st.lists(st.integers(0, 2**63 - 1), max_size=6).map(tuple)


def test_keys_are_those_of_rfc_5869() -> None:
    for label in ("links", "sealing"):
        assert tokens.derive("a secret", label) == HKDF(SHA256(), 32, b"perigee", label.encode()).derive(
            b"a secret"
        )
    assert tokens.derive("a secret", "links") != tokens.derive("a secret", "sealing")
    assert tokens.derive("a secret", "links") != tokens.derive("b secret", "links")


@given(
    NUMBERS,
    st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=10),
    st.binary(max_size=20),
)
def test_what_was_signed_is_verified(numbers: tuple[int, ...], purpose: str, extra: bytes) -> None:
    for signer in (SIGNER, MAILBOX):
        assert signer.verify(purpose, signer.sign(purpose, *numbers, extra=extra), extra=extra) == numbers


def test_a_token_is_short_and_fits_urls_and_mailboxes() -> None:
    token = SIGNER.sign("click", 12, 3_456_789, 9_876_543_210, 7)
    assert len(token) <= 40
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
    mailbox = MAILBOX.sign("bounce", 12, 3_456_789, 9_876_543_210)
    assert len("b+" + mailbox) <= 64
    assert mailbox == mailbox.lower()
    assert mailbox.isalnum()
    assert MAILBOX.verify("bounce", mailbox.upper()) == (12, 3_456_789, 9_876_543_210)


@pytest.mark.parametrize("signer", [SIGNER, MAILBOX])
def test_every_changed_character_and_bit_is_refused(signer: Signer) -> None:
    token = signer.sign("click", 12, 345, 6)
    for position, char in enumerate(token):
        for other in {chr(ord(char) ^ bit) for bit in (1, 2, 4, 8, 16, 64)} - {char, char.upper()}:
            with pytest.raises(InvalidToken):
                signer.verify("click", token[:position] + other + token[position + 1 :])
    for changed in (
        token[:-1],
        token[1:],
        token + "A",
        token + "=",
        token + "\n",
        " " + token,
        token + token,
        token.swapcase() + "-",
    ):
        with pytest.raises(InvalidToken):
            signer.verify("click", changed)


def test_purpose_tenant_extra_and_key_are_bound() -> None:
    token = SIGNER.sign("click", 12, 345, extra=b"https://a.example/")
    assert SIGNER.verify("click", token, extra=b"https://a.example/") == (12, 345)
    for purpose, extra in (("open", b"https://a.example/"), ("click", b""), ("click", b"https://b.example/")):
        with pytest.raises(InvalidToken):
            SIGNER.verify(purpose, token, extra=extra)
    with pytest.raises(InvalidToken):
        Signer({2: OLD}, 2).verify("click", token, extra=b"https://a.example/")


def test_bytes_do_not_move_between_numbers_and_extra() -> None:
    raw = tokens.decode(SIGNER.sign("click", 1, extra=b"\x05\x00rest"))
    forged = tokens.encode(raw[: -tokens.MAC_BYTES] + b"\x05" + raw[-tokens.MAC_BYTES :])
    with pytest.raises(InvalidToken):
        SIGNER.verify("click", forged, extra=b"\x00rest")


def test_old_keys_verify_until_they_are_taken_away() -> None:
    token = Signer({1: OLD}, current=1).sign("unsubscribe", 12, 5)
    assert SIGNER.verify("unsubscribe", token) == (12, 5)
    with pytest.raises(InvalidToken):
        Signer({2: NEW}, current=2).verify("unsubscribe", token)
    with pytest.raises(ValueError, match="no key of version 3"):
        Signer({2: NEW}, current=3)


@given(
    st.text(max_size=60) | st.text("ABCabc012-_=", max_size=60) | st.binary(max_size=60).map(tokens.encode)
)
def test_any_text_is_verified_or_refused(text: str) -> None:
    for signer in (SIGNER, MAILBOX):
        with pytest.raises(InvalidToken):
            signer.verify("click", text)


def test_long_tokens_are_refused_unread() -> None:
    with pytest.raises(InvalidToken):
        SIGNER.verify("click", "A" * 100_000)


def test_negative_numbers_are_our_mistake() -> None:
    with pytest.raises(ValueError, match="range"):
        SIGNER.sign("click", -1)


def test_bare_mac() -> None:
    assert SIGNER.mac("p", b"data") == SIGNER.mac("p", b"data", 2) != SIGNER.mac("p", b"data", 1)
    assert len(SIGNER.mac("p", b"data")) == 16
    assert SIGNER.mac("p", b"data") != SIGNER.mac("q", b"data")


@given(NUMBERS)
def test_numbers_are_packed_whole(numbers: tuple[int, ...]) -> None:
    packed = tokens.pack_numbers(numbers)
    assert tokens.unpack_numbers(packed) == numbers
    if numbers and numbers[-1] > 0x7F:
        with pytest.raises(InvalidToken):
            tokens.unpack_numbers(packed[:-1])


@given(st.binary(max_size=200), st.binary(max_size=20))
def test_sealed_secrets_open(secret: bytes, context: bytes) -> None:
    sealer = Sealer({1: OLD, 2: NEW}, 2)
    sealed = sealer.seal(secret, context)
    assert sealer.unseal(sealed, context) == secret
    assert len(sealed) == len(secret) + 29
    assert sealer.seal(secret, context) != sealed
    assert (
        sealer.unseal(tokens.seal(OLD, secret, context), context)
        == secret
        == tokens.unseal(OLD, tokens.seal(OLD, secret))
    )
    for changed in (
        sealed[:-1],
        sealed + b"x",
        b"\x01" + sealed[1:],
        b"\x09" + sealed[1:],
        sealed[:5],
        b"",
        bytes([*sealed[:-1], sealed[-1] ^ 1]),
    ):
        with pytest.raises(InvalidToken):
            sealer.unseal(changed, context)
    with pytest.raises(InvalidToken):
        sealer.unseal(sealed, context + b"x")
    with pytest.raises(InvalidToken):
        tokens.unseal(NEW, tokens.seal(OLD, secret))


def test_a_sealer_needs_its_key() -> None:
    with pytest.raises(ValueError, match="no key of version 2"):
        Sealer({1: OLD}, 2)


def test_digest() -> None:
    assert tokens.digest(b"a") != tokens.digest(b"b")
    assert len(tokens.digest(b"a")) == 16
