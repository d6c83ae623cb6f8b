import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from perigee.lib import addresses
from perigee.lib.addresses import Email, normal_email, normal_phone, parse_email


@pytest.mark.parametrize(
    ("text", "normal", "spelling"),
    [
        ("anna@example.com", "anna@example.com", None),
        ("  anna@example.com\r\n", "anna@example.com", None),
        ("Anna.Koval@Example.COM", "anna.koval@example.com", "Anna.Koval@example.com"),
        ("anna@EXAMPLE.com", "anna@example.com", None),
        ("o'neil+tag@mail.example.co.uk", "o'neil+tag@mail.example.co.uk", None),
        ("a@shop.test", "a@shop.test", None),
        ("user@пример.укр", "user@xn--e1afmkfd.xn--j1amh", None),
        ("User@XN--E1AFMKFD.xn--j1amh", "user@xn--e1afmkfd.xn--j1amh", "User@xn--e1afmkfd.xn--j1amh"),
        ("Іван@example.com", "іван@example.com", "Іван@example.com"),
        ("straße@example.com", "straße@example.com", None),
        ("a@straße.de", "a@xn--strae-oqa.de", None),
        ("a@ＥＸＡＭＰＬＥ．com", "a@example.com", None),
        ("a@r3---sn.example.com", "a@r3---sn.example.com", None),
        ("anna@example.com\u200b", "anna@example.com", None),
        ("a" * 64 + "@example.com", "a" * 64 + "@example.com", None),
    ],
)
def test_email(text: str, normal: str, spelling: str | None) -> None:
    assert normal_email(text) == normal
    assert parse_email(text) == Email(normal, spelling)


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "@", "bad", "bad@@example", "anna@@example.com", "a@b", "a@b.c", "a@localhost", "a@example..com", "a@.example.com",
        "a@example.com.", "a@-example.com", "a@example-.com", "a@exa_mple.com", "a@1.2.3.4", "a@[1.2.3.4]", ".a@example.com",
        "a.@example.com", "a..b@example.com", "a b@example.com", "a@exam ple.com", "<a@example.com>", "Anna <a@example.com>",
        '"a b"@example.com', "a,b@example.com", "a@example.com,b@example.com", "a;b@example.com", "a(b)@example.com",
        "a@b>\r\nRCPT TO:<x@y", "a@b.com>\r\nRCPT TO:<x@y.com", "a@example.com\r\nBcc: b@example.com", "a\r\n@example.com",
        "a\x00@example.com", "a\u2028@example.com", "a@example.com\x00", "a@xn--a.com", "é@@пример.укр", "é\r\n@example.com", "é <é@example.com",
        "é@example.com>\r\nRCPT TO:<x@y.com", "é b@example.com", "a@пример", "a@при_мер.укр", "a@-пример.укр",
        "a" * 65 + "@example.com", "a@" + "b" * 64 + ".com", "a@" + ("b" * 60 + ".") * 5 + "com", "é" * 33 + "@example.com",
        "a@" + "пример." * 30 + "укр", "mailto:a@example.com", "a@example.com:25", "a\u200bb@example.com", "a@\u202eexample.com",
    ],
)  # fmt: skip
def test_no_email(text: str) -> None:
    assert normal_email(text) is None
    assert parse_email(text) is None


LOCALS = st.text("aZ09.!#%'+-_`~@ \"\\<>\r\n,", max_size=12)
ASCII_EMAILS = st.builds(
    "{}@{}".format,
    LOCALS,
    st.text("aZ0-._ @", max_size=8).map(lambda s: s + ".example.com") | st.just("x.io"),
)


@given(ASCII_EMAILS)
def test_ascii_addresses_agree_with_the_validator(text: str) -> None:
    try:
        expected = validate_email(text.strip(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        expected = None
    if "---" in text or "--" in text.rpartition("@")[2]:
        return  # the validator refuses hyphens in places 3 and 4 of a label, which the DNS does not
    assert normal_email(text) == expected


@given(st.emails())
def test_standard_addresses_pass(text: str) -> None:
    parsed = parse_email(text)
    assert parsed is not None
    assert (parsed.spelling or parsed.normal).partition("@")[0] == text.partition("@")[0]


@given(st.text(max_size=30) | st.builds("{}@{}.com".format, st.text(max_size=70), st.text(max_size=20)))
def test_a_normal_form_is_safe_and_stable(text: str) -> None:
    parsed = parse_email(text)
    if parsed is None:
        return
    for address in parsed:
        if address is not None:
            local, _, domain = address.rpartition("@")
            assert not set(address) & set('<>,;: \t\r\n"()[]\\\u2028\u2029\x00')
            assert address.isprintable()
            assert domain.isascii()
            assert domain == domain.lower()
            assert len(local.encode()) <= 64
            assert len(address.encode()) <= 254
            assert normal_email(address) == parsed.normal


def test_columns_of_emails() -> None:
    column = ["A@example.com", None, "bad", "b@example.com", "Є@example.com"]
    assert addresses.normal_emails(column) == ["a@example.com", None, None, "b@example.com", "є@example.com"]
    assert addresses.parse_emails(column) == (
        ["a@example.com", None, None, "b@example.com", "є@example.com"],
        ["A@example.com", None, None, None, "Є@example.com"],
    )


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("380501112233", "380501112233"),
        ("+380501112233", "380501112233"),
        ("00380501112233", "380501112233"),
        ("+380 (50) 111-22-33", "380501112233"),
        ("(+380)50.111.22.33", "380501112233"),
        ("+44 (0)20 7946 0958", "442079460958"),  # a number reserved for fiction
        ("+1 202-555-0100", "12025550100"),
        ("+1\u00a0202\u2013555\u20130100", "12025550100"),
        (" 12025550100 ", "12025550100"),
        ("2905123", "2905123"),
        ("+999", None),
        ("0501112233", None),
        ("(0)501112233", None),
        ("999501112233", None),
        ("210501112233", None),
        ("123456", None),
        ("1234567890123456", None),
        ("+1+2025550100", None),
        ("1-800-FLOWERS", None),
        ("+38050111223\n3", None),
        ("12025550100;ext=5", None),
        ("٣٨٠٥٠١١١٢٢٣٣", None),
        ("", None),
        ("+", None),
        ("-" * 5000, None),
        ("<script>", None),
    ],
)
def test_phone(text: str, digits: str | None) -> None:
    assert normal_phone(text) == digits
    assert addresses.normal_phones([text, None]) == [digits, None]


def test_calling_codes_are_those_in_use() -> None:
    assert {str(code) for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE} == addresses.CALLING_CODES


@given(
    st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)),
    st.sampled_from([phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE]),
)
def test_real_numbers_pass_in_every_notation(region: str, kind: int) -> None:
    number = phonenumbers.example_number_for_type(region, kind)
    if number is None:
        return
    digits = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:]
    if len(digits) < 7:
        return
    for style in (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL):
        assert normal_phone(phonenumbers.format_number(number, style)) == digits


@given(st.text(max_size=30) | st.text("0123456789+-() .", max_size=30))
def test_a_phone_is_digits_and_stable(text: str) -> None:
    digits = normal_phone(text)
    if digits is not None:
        assert digits.isascii()
        assert digits.isdigit()
        assert 7 <= len(digits) <= 15
        assert normal_phone(digits) == normal_phone("+" + digits) == normal_phone("00" + digits) == digits


def test_refusals_speak_the_wire() -> None:
    assert addresses.not_email("bad@@example").message == "'bad@@example' is not valid email"
    refusal = addresses.not_phone("12", "channels[0].value")
    assert (refusal.message, refusal.field) == ("'12' is not valid phone number", "channels[0].value")
    assert len(addresses.not_email("x" * 10_000).message) < 120


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("Example.COM", "example.com"),
        ("приклад.укр", "xn--80aikifvh.xn--j1amh"),
        ("localhost", None),
        ("a..b", None),
        ("", None),
        ("1.2.3.4", None),
        ("x" * 300, None),
    ],
)
def test_domains(text: str, domain: str | None) -> None:
    assert addresses.normal_domain(text) == domain
