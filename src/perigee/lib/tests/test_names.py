import pytest
from hypothesis import given
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.lib.names import check, name_problem, name_problems


@pytest.mark.parametrize(
    "name",
    [
        "Anna", "Анна", "Ґалаґан", "李小龍", "محمد", "देवी", "नरेंद्र मोदी", "Zoë", "Zoe\u0308", "O'Neil", "О’Коннор", "Мар'яна", "Д’Артаньян",
        "Anna-Maria", "Anna - Maria", "Jean–Luc", "Anna Maria Luisa", "Dr. Anna", "J.R.R. Tolkien", "St. John", "Anna B.", "John 2", "Anna123",
        "de la Cruz", "Maria del Carmen Ana de Rosa", "A", "x" * 40, "Nguyễn Thị Minh", "Al-Hassan bin Ali",
    ],
)  # fmt: skip
def test_good_names(name: str) -> None:
    assert name_problem(name) is None


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("x" * 41, "is longer than 40 characters"),
        ("Anna1234", "holds more than 3 digits"),
        ("123", "holds no letter"),
        ("-", "holds no letter"),
        ("...", "holds no letter"),
        ("", "holds no letter"),
        ("'Anna", "has an apostrophe outside a word"),
        ("Anna'", "has an apostrophe outside a word"),
        ("Anna ' Maria", "has an apostrophe outside a word"),
        ("O''Neil", "has an apostrophe outside a word"),
        ("-Anna", "begins or ends with a hyphen"),
        ("Anna-", "begins or ends with a hyphen"),
        ("Anna--Maria", "has two hyphens in a row"),
        ("Anna.", "has a dot after a word of more than 3 letters"),
        ("Mr..", "has a dot that follows no word"),
        (".Anna", "has a dot that follows no word"),
        ("Anna@example", "holds the character '@'"),
        ("Anna 😀", "holds the character '😀'"),
        ("${7*7}", "holds the character '$'"),
        ("Anna_Maria", "holds the character '_'"),
        ("Anna½", "holds the character '½'"),
        ("Anna\u202e", "holds the character '\\u202e'"),
        ("Anna\nMaria", "holds the character '\\n'"),
        ("Anna Maria Luisa Carmen", "has more than 3 words"),
        ("a b c d", "has more than 3 short words"),
    ],
)
def test_bad_names(name: str, problem: str) -> None:
    assert name_problem(name) == problem


def test_length_is_a_setting_and_last_names_count_no_words() -> None:
    assert name_problem("x" * 60, 60) is None
    assert name_problem("Anna", 3) == "is longer than 3 characters"
    assert name_problem("Garcia Lopez Mendoza Fernandez", count_words=False) is None


def test_column() -> None:
    assert name_problems(["Anna", None, "1", "x" * 41]) == [
        None,
        None,
        "holds no letter",
        "is longer than 40 characters",
    ]


@given(st.text(max_size=50) | st.text("Aяé '’-.1a", max_size=45))
def test_accepted_names_keep_the_rules(name: str) -> None:
    problem = name_problem(name)
    assert name_problems([name]) == [problem]
    if problem is None:
        assert len(name) <= 40
        assert any(c.isalpha() for c in name)
        assert sum(c.isdecimal() for c in name) <= 3
        assert not set(name) & set('<>&"\\/@#${}%;:,!?\r\n\t\x00_()=+*')
        assert name[0] not in "-.'"
        assert name[-1] not in "-'"


@given(st.text(st.characters(categories=["L"]), min_size=1, max_size=40))
def test_a_word_in_any_script_is_a_name(name: str) -> None:
    assert name_problem(name) is None


def test_refusal_names_field_value_and_rule() -> None:
    assert check("firstName", "Anna") == "Anna"
    with pytest.raises(Invalid, match=r"^firstName: '123' holds no letter$"):
        check("firstName", "123")
