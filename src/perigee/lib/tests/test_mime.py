"""The byte writer of email, held against Python's parser, which shares no code with it."""

from __future__ import annotations

import quopri
import re
from email import policy
from email.header import decode_header, make_header
from email.headerregistry import AddressHeader
from email.parser import BytesParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.lib import mime
from perigee.lib.text import clean

# Everything that could arrive: all scripts, controls, lone surrogates, and more often what hurts.
ANY_TEXT = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from(' =.\t\r\n?_"\\<>@,;:()=?utf-8?q?&%'),
        st.characters(categories=["Lu", "Ll"], max_codepoint=0x4FF),
    ),
    max_size=400,
)
STRICT = policy.default.clone(raise_on_defect=True)


def lines_of(text: str) -> str:
    """What quoted-printable promises to carry: line ends as CRLF, lone surrogates replaced."""
    return re.sub("[\ud800-\udfff]", "\ufffd", re.sub("\r\n|\r|\n", "\r\n", text))


def parse(header: str) -> object:
    message = BytesParser(policy=STRICT).parsebytes(header.encode() + b"\r\n")
    (value,) = message.values()
    return value


@given(ANY_TEXT)
@example("." * 200)
@example("From me\n.\n..\nFrom you ")
@example("я" * 100)
@example("a" * 75 + "=")
@example("trailing \n blanks\t\n ")
def test_quoted_printable_decodes_to_the_text_with_crlf(text: str) -> None:
    encoded = mime.quoted_printable(text)
    assert quopri.decodestring(encoded.encode("ascii")).decode() == lines_of(text)
    for line in encoded.split("\r\n"):
        assert len(line) <= 76
        assert not line.startswith((".", "From "))
        assert line.isascii()
        assert line == "" or line.isprintable()
        assert not line.endswith(" ")


@given(st.lists(ANY_TEXT, min_size=1, max_size=5))
def test_pieces_joined_by_soft_breaks_are_the_text_put_together(pieces: list[str]) -> None:
    pieces = [piece.replace("\r", "") for piece in pieces]
    encoded = mime.SOFT_BREAK.join(mime.quoted_printable(piece) for piece in pieces)
    assert quopri.decodestring(encoded.encode()).decode() == lines_of("".join(pieces))
    assert all(len(line) <= 76 for line in encoded.split("\r\n"))


@given(ANY_TEXT)
@example("Ж" * 300)
@example("two  blanks and one behind ")
@example("a" * 500)
@example("=?utf-8?q?fake?=")
def test_a_subject_survives_and_never_splits_the_header(text: str) -> None:
    header = mime.unstructured("Subject", text)
    assert header.endswith("\r\n")
    body = header[:-2]
    assert not re.search(r"\r\n(?! \S)", body)
    assert re.search(r"(?<!\r)\n|\r(?!\n)", header) is None
    assert all(len(line) <= 78 for line in body.split("\r\n"))
    # A blank line of nothing but spaces is read as empty, so only the ends may differ.
    assert str(parse(header)).strip() == clean(text).strip()


@given(ANY_TEXT)
@example("Shop, Inc.")
@example('quo"te \\ back')
@example("Магазин «Кава» і ще дуже довга назва, яка не вміститься в один рядок заголовка")
@example("info@other.example")
def test_a_display_name_survives(name: str) -> None:
    header = mime.address_header("From", name, "news@example.com")
    value = parse(header)
    (mailbox,) = value.addresses  # type: ignore[attr-defined]
    assert mailbox.addr_spec == "news@example.com"
    # Python's new parser keeps the folding blank between two encoded words of a phrase, against RFC 2047 6.2.
    shown = header[6:].rpartition("<")[0]
    got = str(make_header(decode_header(shown))) if "=?" in shown else mailbox.display_name
    assert got.strip() == clean(name).strip()
    assert isinstance(value, AddressHeader)
    assert all(len(line) <= 78 for line in header.split("\r\n"))


@given(
    st.text(
        st.characters(min_codepoint=33, max_codepoint=0x2FF, categories=["L", "N", "P", "S"]), max_size=80
    )
)
def test_an_address_is_taken_whole_or_refused(text: str) -> None:
    address = f"{text}@example.com"
    try:
        spec = mime.addr_spec(address)
    except Invalid:
        return
    assert "\r" not in spec
    assert "\n" not in spec
    assert spec.count("@example.com") >= 1
    if spec.isascii():
        message = BytesParser(policy=policy.default).parsebytes(f"To: {spec}\r\n\r\n".encode())
        (mailbox,) = message["To"].addresses
        assert mailbox.domain == "example.com"


@pytest.mark.parametrize(
    "address",
    [
        "a@b>\r\nRCPT TO:<x@y",
        "a\n@example.com",
        "a@exam\x00ple.com",
        "@example.com",
        "a",
        "a@",
        "a@-",
        "é >@example.com",
        "=??B??=@example.com",
    ],
)
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(Invalid):
        mime.addr_spec(address)


def test_domains_become_a_labels() -> None:
    assert mime.addr_spec("кава@пошта.укр") == "кава@xn--80a1acn3a.xn--j1amh"
    assert mime.addr_spec("info@Bücher.example") == "info@xn--bcher-kva.example"
    assert mime.ascii_domain("mail.example.com") == "mail.example.com"


def test_structured_headers_are_never_folded_or_encoded() -> None:
    value = "<https://links.example.com/u/" + "a" * 300 + ">"
    assert mime.structured("List-Unsubscribe", value) == f"List-Unsubscribe: {value}\r\n"
    for bad in ("a\r\nBcc: x@example.com", "ключ", "a\x00", "a" * 990):
        with pytest.raises(Invalid):
            mime.structured("List-Unsubscribe", bad)


def test_message_id_and_date() -> None:
    assert mime.message_id_header("1.2.ab@example.com") == "Message-ID: <1.2.ab@example.com>\r\n"
    with pytest.raises(Invalid):
        mime.message_id_header("a b@example.com")
    assert mime.date_header(0) == "Date: Thu, 01 Jan 1970 00:00:00 +0000\r\n"


@given(ANY_TEXT)
def test_a_boundary_cannot_be_in_a_part(text: str) -> None:
    mark = mime.boundary(text)
    assert mark == mime.boundary(text)
    assert "=_" not in mime.quoted_printable(text)
    assert re.fullmatch(r"=_[0-9a-f]{32}", mark)
