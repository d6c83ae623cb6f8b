"""What is refused when a message is saved; every refusal names the wire's member."""

from __future__ import annotations

import pytest

from perigee.errors import Invalid
from perigee.messages.contents import AppInbox, Email, Sms
from perigee.messages.validate import validate
from perigee.messages.version import parse_sender

from .factories import FROM


@pytest.mark.parametrize(
    ("field", "members"),
    [
        ("from", {"from_": "news@example.com"}),
        ("from", {"from_": '"Shop" <news@>'}),
        ("from", {"from_": '"Shop" <a@b.example>, <c@d.example>'}),
        ("from", {"from_": '"Sh\r\nBcc: x@y.example" <news@example.com>'}),
        ("from", {"from_": '"Shop\x00" <news@example.com>'}),
        ("from", {"from_": '"help@paypal.example" <news@example.com>'}),
        ("from", {"from_": '"Shop" <новини@example.com>'}),
        ("from", {"from_": '"{{ x" <news@example.com>'}),
        ("subject", {"subject": "a\r\nBcc: x@y.example"}),
        ("subject", {"subject": "a\u2028b"}),
        ("subject", {"subject": " "}),
        ("subject", {"subject": "{% if x %}"}),
        ("replyTo", {"reply_to": "nobody"}),
        ("replyTo", {"reply_to": "a@b.example\n"}),
        ("preheader", {"preheader": "a\nb"}),
        ("preheader", {"preheader": "{{ x"}),
        ("htmlText", {"html_text": "<p>\n{{ x | nosuch }}"}),
        ("htmlText", {"html_text": "<div>" * 300}),
        ("htmlText", {"html_text": "x" * 2_000_001}),
        ("plainText", {"plain_text": "{% for %}"}),
        ("ampHtml", {"amp_html": "{% endif %}"}),
        ("mjml", {"html_text": "", "mjml": "<mjml><mj-body><mj-section></mj-body></mjml>"}),
    ],
)
def test_bad_email_is_refused_with_the_member_s_name(field: str, members: dict[str, str]) -> None:
    content = Email(**{"from_": FROM, "subject": "s", "html_text": "<p>x</p>", **members})
    with pytest.raises(Invalid) as caught:
        validate(content)
    assert caught.value.field == field
    assert caught.value.message.startswith(f"{field}: ")


def test_good_email_passes() -> None:
    validate(Email(from_=FROM, subject="Hi %FIRSTNAME|friend%", html_text="<p>{{ x }}</p>"))
    validate(
        Email(
            from_='"{{ shop }} at example.com" <a@example.com>',
            subject="s",
            html_text="x",
            reply_to="b@c.example",
        )
    )
    validate(
        Email(from_='"a@example.com" <a@example.com>', subject="s", html_text="{{ x }}"), engine="literal"
    )


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(Invalid, match="engine: 'jinja'"):
        validate(Email(from_=FROM, subject="s", html_text="x"), engine="jinja")


@pytest.mark.parametrize(
    ("field", "sender", "text"),
    [
        ("from", "TWELVELETTER", "x"),
        ("from", "Магазин", "x"),
        ("from", "SHOP\n", "x"),
        ("from", "", "x"),
        ("text", "SHOP", " "),
        ("text", "SHOP", "{{ x"),
    ],
)
def test_bad_sms_is_refused(field: str, sender: str, text: str) -> None:
    with pytest.raises(Invalid) as caught:
        validate(Sms(from_=sender, text=text))
    assert caught.value.field == field


@pytest.mark.parametrize(
    "sender", ["EXAMPLE", "My-Shop 1", "380501112233", "+380501112233", "3434", "{{ data.brand }}"]
)
def test_good_sms_passes(sender: str) -> None:
    validate(Sms(from_=sender, text="Code {{ code }}"))


def test_texts_of_other_channels() -> None:
    validate(AppInbox("Hi %FIRSTNAME%", "Text"))
    with pytest.raises(Invalid, match="title: line 1"):
        validate(AppInbox("{% if %}", "Text"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('"Shop" <a@b.example>', ("Shop", "a@b.example")),
        ('"Sh\\"o\\\\p, Inc." <a@b.example>', ('Sh"o\\p, Inc.', "a@b.example")),
        ("Shop and Co <a@b.example>", ("Shop and Co", "a@b.example")),
        ('  ""  < a@b.example > ', ("", "a@b.example")),
    ],
)
def test_sender_forms(text: str, expected: tuple[str, str]) -> None:
    assert parse_sender(text) == expected
