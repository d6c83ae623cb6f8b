"""The bytes of an email, read back by Python's parser in its strictest policy."""

from __future__ import annotations

import re
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.lib.text import clean
from perigee.messages.contents import Email
from perigee.messages.email import compile_email
from perigee.messages.person import Person
from perigee.messages.version import CompileOptions, Footer, MessageVersion

from .factories import ANNA, FROM, NOW, OPTIONS, QUIET, ReadableLinks, compiled, email, envelope

STRICT = policy.default.clone(raise_on_defect=True)
ANY_TEXT = st.text(
    alphabet=st.one_of(
        st.characters(),
        st.sampled_from(" =.\t\r\n?_\"\\<>&'"),
        st.characters(categories=["Lu", "Ll"], max_codepoint=0x4FF),
    ),
    max_size=300,
)
# Text of an author, free of the two template notations.
AUTHORED = ANY_TEXT.map(lambda text: re.sub(r"[{%\ufdd0\ufdd1]", "", text))


def parse(raw: bytes) -> EmailMessage:
    message = BytesParser(policy=STRICT).parsebytes(raw)
    assert isinstance(message, EmailMessage)
    return message


def parts(raw: bytes) -> dict[str, str]:
    """Content type → text, as a mail client decodes it."""
    message = parse(raw)
    found = {}
    for part in message.iter_parts():
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        found[part.get_content_type()] = payload.decode()
    return found


def check_bytes(raw: bytes) -> None:
    """What holds for every message of ours (protocols 2.2)."""
    assert raw.isascii()
    assert raw.endswith(b"\r\n")
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", raw) is None
    head, _, body = raw.partition(b"\r\n\r\n")
    assert all(len(line) <= 998 for line in head.split(b"\r\n"))
    for line in body.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From "))
    names = [line.partition(b":")[0].lower() for line in head.split(b"\r\n") if not line.startswith(b" ")]
    assert len(names) == len(set(names))
    assert {b"from", b"to", b"subject", b"date", b"message-id", b"mime-version"} <= set(names)


def wired(text: str) -> str:
    return re.sub("[\ud800-\udfff]", "\ufffd", re.sub("\r\n|\r|\n", "\r\n", text))


@given(AUTHORED, AUTHORED, AUTHORED, AUTHORED, st.booleans())
@settings(max_examples=150)
@example("Тема", "Привіт\n.\n..крапка\nFrom x\ntrailing \n", "<p>.</p>\r\n.", "Магазин, «Кава»", True)
@example("s" * 1000, "x" * 3000, "é" * 3000, "n" * 300, True)
def test_every_message_is_well_formed_and_carries_its_texts(
    subject: str, text: str, html: str, name: str, bulk: bool
) -> None:
    options = replace(QUIET, track_clicks=False)
    sender = '"' + clean(name).replace("\\", "").replace('"', "") + '" <news@example.com>'
    content = Email(from_=sender, subject=subject, html_text=html or " ", plain_text=text)
    rendered = compile_email(MessageVersion(content), options).render(ANNA, ReadableLinks(), envelope())
    check_bytes(rendered.raw)
    found = parts(rendered.raw)
    assert found["text/html"] == wired(html or " ")
    if text.strip():
        assert found["text/plain"].lstrip("\r\n") == wired(text).lstrip("\r\n")
    message = parse(rendered.raw)
    assert str(message["Subject"]).strip() == wired(clean(subject)).strip()
    assert message["From"].addresses[0].addr_spec == "news@example.com"


@given(ANY_TEXT, ANY_TEXT, st.sampled_from(["{}", "{{% if true %}}{}{{% endif %}}"]))
@settings(max_examples=150)
@example("Анна\r\nBcc: evil@example.com", "x", "{}")
@example(".", ". \n.", "{}")
@example("a b " * 50, "<script>\n\n", "{}")
def test_values_come_through_whatever_they_hold(first: str, last: str, form: str) -> None:
    person = replace(ANNA, first_name=first, last_name=last)
    html = "<b>" + form.format("{{ first_name }}") + "</b>.<i>%LASTNAME%</i>"
    text = form.format("%FIRSTNAME%") + ".{{ last_name }}"
    message = compiled(
        html, QUIET, plain_text=text, subject="%FIRSTNAME%!", from_='"{{ last_name }}" <n@example.com>'
    )
    rendered = message.render(person, ReadableLinks(), envelope())
    check_bytes(rendered.raw)
    found = parts(rendered.raw)

    def escaped(value: str) -> str:
        for character, entity in (
            ("&", "&amp;"),
            ("<", "&lt;"),
            (">", "&gt;"),
            ('"', "&quot;"),
            ("'", "&#x27;"),
        ):
            value = value.replace(character, entity)
        return value

    assert found["text/html"] == wired(f"<b>{escaped(first)}</b>.<i>{escaped(last)}</i>")
    assert found["text/plain"] == wired(f"{first}.{last}")
    assert str(parse(rendered.raw)["Subject"]).strip() == wired(clean(f"{first}!")).strip()
    assert set(parse(rendered.raw).keys()) == {
        "Date", "Message-ID", "From", "To", "Subject", "MIME-Version", "Content-Type",
    }  # fmt: skip


def test_a_marketing_email_has_all_its_headers() -> None:
    options = replace(
        OPTIONS,
        list_id="news.example.com",
        feedback_id="c7:12:bulk:perigee",
        headers={"CFBL-Address": "fbl@example.com"},
    )
    message = compiled(
        subject="Hello, %FIRSTNAME|friend%", options=options, reply_to='"Help" <help@example.com>'
    )
    raw = message.render(
        ANNA, ReadableLinks(), envelope(to_name="Anna", unsubscribe_mailbox="u+t=1&x@example.com")
    ).raw
    check_bytes(raw)
    head = raw.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    assert head[:-1] == [
        "Date: Mon, 24 Nov 2025 16:00:00 +0000",
        "Message-ID: <7.1.ab@example.com>",
        "From: Example Shop <news@example.com>",
        "To: Anna <anna@example.com>",
        "Subject: Hello, Anna",
        "Reply-To: Help <help@example.com>",
        "MIME-Version: 1.0",
        "List-Id: <news.example.com>",
        "Feedback-ID: c7:12:bulk:perigee",
        "Precedence: bulk",
        "CFBL-Address: fbl@example.com",
        "List-Unsubscribe: <https://l.test/one>, <mailto:u+t%3D1%26x@example.com?subject=unsubscribe>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "Content-Type: multipart/alternative;",
    ]
    assert parse(raw).get_content_type() == "multipart/alternative"
    assert list(parts(raw)) == ["text/plain", "text/html"]


def test_a_transactional_email_has_none_of_marketing() -> None:
    raw = (
        compiled("<body><p>Code 1</p></body>", replace(OPTIONS, bulk=False))
        .render(ANNA, ReadableLinks(), envelope())
        .raw
    )
    for absent in (b"List-", b"Precedence", b"Unsubscribe", b"Main St"):
        assert absent not in raw
    assert "https://l.test/o" in parts(raw)["text/html"]


def test_a_bulk_email_without_a_way_out_gets_the_standard_block() -> None:
    found = parts(
        compiled("<body><p>Hi</p></body>", replace(OPTIONS)).render(ANNA, ReadableLinks(), envelope()).raw
    )
    html = found["text/html"]
    assert re.fullmatch(
        r'<body><p>Hi</p><div[^>]*>Example Shop<br>1 Main St,<br>Kyiv<br><a href="https://l.test/u"[^>]*>Unsubscribe</a>'
        r'</div><img src="https://l.test/o" width="1" height="1" alt=""[^>]*></body>',
        html,
    )
    assert (
        found["text/plain"]
        == "Hi\r\n\r\n-- \r\nExample Shop\r\n1 Main St,\r\nKyiv\r\nUnsubscribe: https://l.test/u\r\n"
    )
    uk = compile_email(replace(email(), language="uk-UA"), OPTIONS).html(ANNA, ReadableLinks(), NOW)
    assert ">Відписатися</a>" in uk
    own = compile_email(email(), replace(OPTIONS, footer=Footer(unsubscribe="Stop <now>"))).html(
        ANNA, ReadableLinks(), NOW
    )
    assert ">Stop &lt;now&gt;</a>" in own


@pytest.mark.parametrize(
    "way_out",
    [
        '<a href="https://esputnik.com/unsubscribe">u</a>',
        "{{ unsubscribe_url }}",
        '{% if true %}<a href="https://yespo.io/unsubscribe">u</a>{% endif %}',
        "{% assign x = unsubscribe_url %}{{ x }}",
    ],
)
def test_an_author_s_own_way_out_is_enough(way_out: str) -> None:
    message = compiled(f"<p>{way_out}</p>")
    assert message.unsubscribes
    found = parts(message.render(ANNA, ReadableLinks(), envelope()).raw)
    assert "Main St" not in found["text/html"] + found["text/plain"]
    assert found["text/html"].count("https://l.test/u") == 1


def test_preheader_is_hidden_in_front_and_not_in_the_text() -> None:
    message = compiled(
        "<html><body><p>Hi</p></body></html>", QUIET, preheader="For %FIRSTNAME|you% & {{ x | default: 'y' }}"
    )
    html = message.html(Person(first_name="<A>"), ReadableLinks(), NOW)
    assert re.match(r'<html><body><div style="display:none;[^>]*>For &lt;A&gt; &amp; y&nbsp;&zwnj;', html)
    assert "For" not in parts(message.render(ANNA, ReadableLinks(), envelope()).raw)["text/plain"]


def test_amp_stands_between_text_and_html() -> None:
    message = compiled("<p>h</p>", QUIET, amp_html="<html ⚡4email><body>{{ first_name }}</body></html>")
    found = parts(message.render(ANNA, ReadableLinks(), envelope()).raw)
    assert list(found) == ["text/plain", "text/x-amp-html", "text/html"]
    assert found["text/x-amp-html"] == "<html ⚡4email><body>Anna</body></html>"


def test_the_web_version_is_the_html_of_the_message() -> None:
    message = compiled("<body>{% for i in (1..3) %}{{ first_name }}.\n{% endfor %}</body>")
    assert message.html(ANNA, ReadableLinks(), NOW).replace("\r\n", "\n") == parts(
        message.render(ANNA, ReadableLinks(), envelope()).raw
    )["text/html"].replace("\r\n", "\n")


def test_the_same_message_has_the_same_bytes() -> None:
    first, second = (
        compiled("<p>%FIRSTNAME%</p>").render(ANNA, ReadableLinks(), envelope()).raw for _ in range(2)
    )
    assert first == second
    assert (
        first.replace(b"Anna", b"Olha")
        == compiled("<p>%FIRSTNAME%</p>")
        .render(replace(ANNA, first_name="Olha"), ReadableLinks(), envelope())
        .raw
    )


def test_addresses_go_out_in_their_wire_form() -> None:
    message = compiled()
    idn = message.render(ANNA, ReadableLinks(), envelope(to="anna@bücher.example"))
    assert b"To: anna@xn--bcher-kva.example\r\n" in idn.raw
    local = message.render(ANNA, ReadableLinks(), envelope(to="ганна@example.com"))
    assert local.smtputf8
    assert "To: ганна@example.com\r\n".encode() in local.raw
    assert not idn.smtputf8
    for bad in ("a\r\nBcc: b@example.com", "a@b@c\n", "<a@example.com>", "nobody"):
        with pytest.raises(Invalid):
            message.render(ANNA, ReadableLinks(), envelope(to=bad))
    with pytest.raises(Invalid):
        message.render(ANNA, ReadableLinks(), envelope(message_id="a b@example.com"))


@pytest.mark.parametrize("name", ["Subject", "content-type", "X Y", "X:Y", "Ключ"])
def test_headers_of_ours_cannot_be_set(name: str) -> None:
    with pytest.raises(Invalid):
        compiled(options=replace(OPTIONS, headers={name: "x"}))


@pytest.mark.parametrize("value", ["a\r\nBcc: x@example.com", "ключ", "\x00"])
def test_structured_values_hold_plain_ascii_only(value: str) -> None:
    for options in (
        replace(OPTIONS, list_id=value),
        replace(OPTIONS, feedback_id=value),
        replace(OPTIONS, headers={"X-A": value}),
    ):
        with pytest.raises(Invalid):
            compiled(options=options)


def test_a_template_that_fails_for_one_person_is_invalid() -> None:
    message = compiled("<p>\n{{ data.n | divided_by: data.d }}</p>")
    with pytest.raises(Invalid, match="htmlText: line 2: divided_by"):
        message.render(Person(data={"n": 1, "d": 0}), ReadableLinks(), envelope())
    assert b"3" in message.render(Person(data={"n": 6, "d": 2}), ReadableLinks(), envelope()).raw


MARKUP = st.lists(
    st.sampled_from(
        ["<p>", "</p>", "<a href=\"", "https://a.example/", "\">", "</a>", "{{ x }}", "{{ x | raw }}", "{% if x %}",
         "{% else %}", "{% endif %}", "{% for i in l %}", "{{ i.u }}", "{% endfor %}", "%FIRSTNAME|f%", "<img src='",
         "'>", "<!--", "-->", "<ul><li>", "</li></ul>", "<style>", "</style>", " ", "\n", "text", "<body>", "</body>",
         "{% assign x = 1 %}", "{{ unsubscribe_url }}", "{% capture c %}", "{% endcapture %}", "=", ".", "<br>", "&amp;"]
    ),
    max_size=30,
).map("".join)  # fmt: skip


@given(MARKUP)
@settings(max_examples=400)
@example('<a href="https://a.example/{% if x %}1">{% endif %}</a>')
@example('{% for i in l %}<a href="{{ i.u }}">t</a>{% endfor %}')
def test_any_html_compiles_and_renders_or_is_invalid(html: str) -> None:
    person = Person(first_name="Ä\n.", data={"x": "<&>", "l": [{"u": "https://b.example/?a&b"}, {}]})
    try:
        rendered = compiled(html).render(person, ReadableLinks(), envelope())
    except Invalid:
        return
    check_bytes(rendered.raw)
    assert "\ufdd0" not in "".join(parts(rendered.raw).values())


def test_an_email_without_html_is_prepared_from_its_mjml() -> None:
    mjml = "<mjml><mj-body><mj-section><mj-column><mj-text>Hi %FIRSTNAME%</mj-text></mj-column></mj-section></mj-body></mjml>"
    content = Email(from_=FROM, subject="s", mjml=mjml)
    html = compile_email(MessageVersion(content), CompileOptions("https://l.test")).html(
        ANNA, ReadableLinks(), NOW
    )
    assert re.search(r"<div [^>]*>Hi Anna</div>", html)
