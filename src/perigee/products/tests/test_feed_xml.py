"""Product feeds as shops write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.products.feed_xml import FeedReader, read_price
from perigee.products.types import ProductRow

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel><title>Shop</title>
<item>
  <g:id>SKU-1</g:id><g:title>Синя &amp; біла чашка</g:title><g:link>https://shop.example.com/mug</g:link>
  <g:image_link>https://shop.example.com/mug.png</g:image_link><g:description><![CDATA[A <b>mug</b>]]></g:description>
  <g:brand>Example</g:brand><g:price>12,00 EUR</g:price><g:sale_price>9.50 EUR</g:sale_price>
  <g:availability>in stock</g:availability><g:product_type>Home > Mugs</g:product_type>
  <g:google_product_category>2169</g:google_product_category>
  <g:color>blue</g:color><g:color>white</g:color><g:shipping><g:price>5 EUR</g:price></g:shipping>
</item>
<item><g:title>No id</g:title></item>
<item><g:id>SKU-2</g:id><g:availability>out_of_stock</g:availability><g:price>cheap</g:price><link>javascript:x</link></item>
</channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">
<entry><g:id>A</g:id><title>Mug</title><link href="https://shop.example.com/a"/><summary>Text</summary></entry></feed>"""


def read(text: str | bytes, size: int = 10_000) -> tuple[list[ProductRow], int]:
    data = text.encode() if isinstance(text, str) else text
    reader = FeedReader()
    rows = [row for start in range(0, len(data), size) for row in reader.feed(data[start : start + size])]
    return rows + reader.close(), reader.skipped


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_a_google_feed_in_pieces_of_any_size(size: int) -> None:
    rows, skipped = read(RSS, size)
    assert rows == [
        ProductRow(
            product_id="SKU-1",
            name="Синя & біла чашка",
            url="https://shop.example.com/mug",
            image_url="https://shop.example.com/mug.png",
            description="A <b>mug</b>",
            brand="Example",
            price=Decimal("9.50"),
            currency="EUR",
            in_stock=True,
            categories=("Home > Mugs",),
            tags={"color": ["blue", "white"], "oldprice": ["12.00"]},
        ),
        ProductRow(product_id="SKU-2", in_stock=False),
    ]
    assert skipped == 1


def test_an_atom_feed() -> None:
    assert read(ATOM)[0] == [
        ProductRow(product_id="A", name="Mug", url="https://shop.example.com/a", description="Text")
    ]


def test_another_encoding_that_the_feed_declares() -> None:
    text = '<?xml version="1.0" encoding="windows-1251"?><rss><item><id>А</id></item></rss>'
    assert read(text.encode("windows-1251"))[0] == [ProductRow(product_id="А")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not well-formed"),
        ("hello", "not well-formed"),
        ("<rss><item><id>A</id></item>", "not well-formed"),
        ("<!DOCTYPE rss><rss/>", "document type"),
        (
            '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><r><item><id>&b;</id></item></r>',
            "document type",
        ),
        (
            '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r><item><id>&x;</id></item></r>',
            "document type",
        ),
        ("<a>" * 60, "nested deeper"),
    ],
)
def test_what_is_no_feed_is_refused(text: str, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        read(text)


def test_a_member_without_end_is_cut() -> None:
    (row,), _ = read(f"<rss><item><id>A</id><description>{'d' * 50_000}</description></item></rss>", 1000)
    assert row.description is not None
    assert len(row.description) == 20_000


def test_members_and_values_without_number_are_cut() -> None:
    many = "".join(f"<m{number}>x</m{number}>" for number in range(500)) + "<color>x</color>" * 500
    (row,), _ = read(f"<rss><item><id>A</id><color>y</color>{many}</item></rss>")
    assert len(row.tags) == 99
    assert len(row.tags["color"]) == 20


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9.50 EUR", (Decimal("9.50"), "EUR")),
        ("eur 9,50", (Decimal("9.50"), "EUR")),
        (" 1 200.00UAH ", (Decimal("1200.00"), "UAH")),
        ("9", (Decimal(9), None)),
        ("free", (None, None)),
        ("-5 EUR", (None, None)),
        ("999999999999999999 EUR", (None, None)),
        ("", (None, None)),
        (None, (None, None)),
    ],
)
def test_prices(text: str | None, expected: tuple[Decimal | None, str | None]) -> None:
    assert read_price(text) == expected


@given(st.binary(max_size=300) | st.text(alphabet="<>/idtem &;![]\"'=?x", max_size=300).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        rows, _ = read(data, 17)
    except Invalid:
        return
    assert all(row.product_id for row in rows)
