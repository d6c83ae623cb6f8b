"""Liquid: what authors may write, what data can do to it (nothing), and what no template can do to the worker."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.messages.engine import Moment, Place, Source, Template, Value
from perigee.messages.liquid import Liquid
from perigee.messages.person import Names, Person

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
ANNA = Person(
    contact_id=100001,
    external_id="CRM-1",
    email="anna@example.com",
    phone="380501112233",
    first_name="Анна",
    language="uk",
    town="Kyiv",
    fields={"7201": 15, "LOYALTY.LEVEL": "gold"},
    data={
        "discount": "5%",
        "items": [{"name": "Mug", "price": 9.5}, {"name": "T&C"}],
        "vip": True,
        "no": False,
    },
)
NAMES = Names({"PERSONAL.BONUS": "7201"}, {"message_name": "Welcome", "group_name": "VIP"})


def parse(text: str, *, html: bool = False) -> Template:
    return Liquid().parse(Source(text, "htmlText", html), NAMES)


def show(template: Template, person: Person = ANNA) -> str:
    moment = Moment(NOW, lambda name: f"https://links.example.com/{name}")
    state = template.start(person, moment) if template.start else None
    out = []
    for piece in template.pieces:
        if isinstance(piece, str):
            out.append(piece)
        elif isinstance(piece, Value):
            out.append(piece.render(person))
        else:
            assert state is not None
            out.append(piece.render(state))
    return "".join(out)


def render(
    text: str, *, html: bool = False, data: Mapping[str, object] | None = None, name: str | None = None
) -> str:
    person = ANNA if data is None and name is None else Person(first_name=name, data=data or {})
    return show(parse(text, html=html), person)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Hi {{ first_name }}!", "Hi Анна!"),
        ("{{ contact.first_name }}", "Анна"),
        ("{{ last_name | default: 'friend' }}", "friend"),
        ("{{ last_name }}", ""),
        ("{{ fields.PERSONAL.BONUS }} {{ contact.fields.LOYALTY.LEVEL }}", "15 gold"),
        ("{{ fields['PERSONAL.BONUS'] }}", "15"),
        ("{{ discount }} {{ data.discount }}", "5% 5%"),
        ("{{ data.items[1].name }}{{ items[7].name }}", "T&C"),
        ("{{ data.items.size }} {{ items.first.name }}", "2 Mug"),
        ("{{ message_name }}/{{ group_name }}", "Welcome/VIP"),
        ("{% if vip %}V{% endif %}{% unless no %}N{% endunless %}", "VN"),
        ("{{ no | default: 'nothing' }} {{ no }}", "nothing false"),
        ("{% for i in items %}{{ forloop.index }}.{{ i.name }} {% endfor %}", "1.Mug 2.T&C "),
        ("{% assign first_name = 'X' %}{{ first_name }}", "X"),
        ("{% capture a %}{{ town }}!{% endcapture %}{{ a | upcase }}", "KYIV!"),
        ("{{ 'now' | date: '%Y-%m-%d' }} {{ now | date: '%H:%M' }}", "2026-11-24 09:30"),
        ("{{ '2025-03-08T10:00:00+02:00' | date: '%d.%m.%Y %H' }}", "08.03.2025 10"),
        ("{{ 'soon' | date: '%d' }}", "soon"),
        ("{{ 1746346212000 | date: '%Y' }}", "2025"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("a {%- if true -%} b {%- endif -%} c", "abc"),
        ("{% comment %}{{ x }}{% endcomment %}{% # note %}z", "z"),
        ("{% case town %}{% when 'Kyiv' %}K{% else %}-{% endcase %}", "K"),
        ("{{ items | map: 'name' }}", "Mug, T&C"),
        ("{{ 'a,b,a' | split: ',' | uniq | join: '-' }}", "a-b"),
        ("{% liquid\n assign z = 3\n echo z\n%}", "3"),
        ("{{ unsubscribe_url | upcase }}", "HTTPS://LINKS.EXAMPLE.COM/UNSUBSCRIBE_URL"),
        ("{{ items }}{{ contact }}{{ (1..3) }}", ", 1..3"),
        ("%EMAIL% stays to others", "%EMAIL% stays to others"),
    ],
)
def test_what_authors_write(template: str, expected: str) -> None:
    assert render(template) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{{ x }}", "&lt;b&gt; &amp; &quot;&#x27;"),
        ("{{ x | raw }}{{ x | safe }}", "<b> & \"'<b> & \"'"),
        ("{{ y | default: '<i>friend</i>' }}", "<i>friend</i>"),
        ("{% if true %}{{ x }}{% endif %}", "&lt;b&gt; &amp; &quot;&#x27;"),
        ("{% if true %}{{ x | escape }}{% endif %}", "&lt;b&gt; &amp; &#34;&#39;"),
        ("{% capture z %}<p>{{ x }}</p>{% endcapture %}{{ z }}", "<p>&lt;b&gt; &amp; &quot;&#x27;</p>"),
        ("{% liquid\n echo x\n%}", "&lt;b&gt; &amp; &quot;&#x27;"),
        ("{{ x | append: '<br>' }}", "&lt;b&gt; &amp; &#34;&#39;<br>"),
    ],
)
def test_html_is_escaped_but_for_the_author(template: str, expected: str) -> None:
    assert render(template, html=True, data={"x": "<b> & \"'"}) == expected


@pytest.mark.parametrize(
    "hostile", ["{{7*7}}", "{{ email }}", "{% for i in (1..9) %}x{% endfor %}", "%EMAIL%", "${7*7}"]
)
def test_a_value_is_never_a_template(hostile: str) -> None:
    for template in (
        "{{ first_name }}",
        "{% if true %}{{ first_name }}{% endif %}",
        "{{ first_name | strip }}",
    ):
        assert render(template, name=hostile) == hostile


@pytest.mark.parametrize(
    "template",
    [
        "{{ x.__class__ }}",
        "{{ x['__class__'].mro }}",
        "{{ contact.__init__ }}",
        "{{ items.__len__ }}",
        "{{ data.get }}",
    ],
)
def test_python_is_out_of_reach(template: str) -> None:
    assert render(template, data={"x": "s", "items": [1]}) == ""


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("a\n{{ x", "line 2: {{ is never closed"),
        ("a\n\n{% if x %}", "line 3"),
        ("{% if x %}\n{% endfor %}{% endif %}", "line 2"),
        ("\n{{ x | nosuch }}", "line 2: unknown filter 'nosuch'"),
        ("{% if x %}{{ x | nosuch: 1 }}{% endif %}", "unknown filter 'nosuch'"),
        ("{% include 'a' %}", "line 1"),
        ("{% render 'a' %}", "line 1"),
        ("{% raw %}x", "never ended"),
        ("{{ " + "a" * 3000 + " }}", "longer than 2000"),
        ("{% if a %}" * 40 + "{% endif %}" * 40, "nesting"),
        ("{{ 7*7 }}", "line 1"),
    ],
)
def test_mistakes_name_field_line_and_reason(template: str, reason: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse(template)
    assert caught.value.field == "htmlText"
    assert caught.value.message.startswith("htmlText: ")
    assert reason in caught.value.message


LETTER = "{% assign a = 'xxxxxxxxxx' %}"
BOMBS = {
    "nested loops": "{% for i in (1..4000) %}{% for j in (1..4000) %}x{% endfor %}{% endfor %}",
    "silent loops": "{% for i in (1..4000) %}{% for j in (1..4000) %}{% endfor %}{% endfor %}",
    "loops one after another": "{% for i in (1..4000) %}{{ i }}{% endfor %}" * 60,
    "busy turns": "{% for i in (1..4000) %}" + "{% if true %}{% endif %}" * 200 + "{% endfor %}",
    "increments": "{% for i in (1..4000) %}" + "{% increment z %}" * 200 + "{% endfor %}",
    "long range": "{% for i in (1..1000000000000) reversed offset: 999999999999 %}x{% endfor %}",
    "range in a variable": "{% assign r = (1..1000000000000) %}{% if r contains 'x' %}y{% endif %}",
    "range to a filter": "{{ (1..1000000000000) | join: ',' }}",
    "range by data": "{% for i in (1..big) %}x{% endfor %}",
    "replace": LETTER + "{% assign a = a | replace: 'x', a %}" * 12 + "{{ a }}",
    "append": LETTER + "{% assign a = a | append: a %}" * 40 + "{{ a }}",
    "capture": LETTER + "{% capture a %}{{ a }}{{ a }}{% endcapture %}" * 40 + "{{ a }}",
    "join": "{{ many | join: long }}",
    "concat": "{% assign l = many %}" + "{% assign l = l | concat: l %}" * 20 + "{{ l | size }}",
    "times": "{% assign n = 9999999999 %}" + "{% assign n = n | times: n %}" * 40 + "{{ n }}",
    "digits": "{{ digits | times: 10 | times: 10 }}",
    "infinity": "{{ 'inf' | times: 1 | ceil }}",
    "nan": "{{ 'nan' | round }}",
    "many variables": "".join(f"{{% assign v{i} = long %}}" for i in range(200)),
    "prepend": LETTER + "{% assign a = a | prepend: a %}" * 40 + "{{ a }}",
    "tablerow": "{% tablerow i in (1..4000) %}{% tablerow j in (1..4000) %}x{% endtablerow %}{% endtablerow %}",
    "recursive data filters": "{{ many | sort | uniq | reverse | concat: many | sort }}" * 300,
    "output": "{{ long }}" * 20 + "{% if true %}" + "{{ long }}" * 30 + "{% endif %}",
    "break outside": "{% break %}",
    "bad base64": "{{ 'a' | base64_decode }}",
    "odd bytes": "{{ '/w==' | base64_decode }}",
    "wide date": "{{ 'now' | date: '%1000000000d' }}",
    "division": "{{ 1 | divided_by: 0 }}",
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("bomb", BOMBS)
def test_no_template_takes_more_than_its_budget(bomb: str) -> None:
    data = {"many": [f"m{i}" for i in range(4000)], "long": "y" * 50_000, "digits": "9" * 4000, "big": 10**15}
    template = parse(BOMBS[bomb] if bomb != "output" else "{% if true %}" + BOMBS[bomb] + "{% endif %}")
    with pytest.raises(Invalid, match="htmlText: line "):
        show(template, Person(data=data))


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "source",
    [
        "{{" * 200_000,
        "{%" * 200_000,
        "{{ a " * 50_000,
        "{% raw %}" * 50_000,
        "{% comment %}" * 50_000,
        "{% doc %}" * 50_000,
        "{{ '" * 50_000 + "}}",
        "{{ a }}" * 6_000,
        "{{ (" * 490 + "}}",
    ],
    ids=lambda source: source[:12],
)
def test_parsing_is_linear(source: str) -> None:
    with pytest.raises(Invalid):
        parse(source)


CODE = st.lists(
    st.sampled_from(
        [
            "{{",
            "}}",
            "{%",
            "%}",
            " ",
            "a",
            ".b",
            "[0]",
            "|",
            "default:",
            "'x'",
            "if",
            "endif",
            "for i in a",
            "endfor",
            "assign a =",
            "\n",
            "-",
            "raw",
            "endraw",
            "(1..3)",
            "==",
        ]
    ),
    max_size=25,
).map("".join)


@given(CODE | st.text(max_size=60))
@settings(max_examples=300)
def test_any_source_parses_or_is_invalid(source: str) -> None:
    try:
        template = parse(source, html=True)
    except Invalid:
        return
    show(template)


def test_values_in_urls_are_written_for_their_place() -> None:
    liquid = Liquid()
    person = Person(
        data={"q": "a b&c=//d", "u": "https://x.example/p a?q=1&r=2", "bad": "javascript:alert(1)"}
    )

    def placed(code: str, place: Place) -> str:
        text = liquid.placed(code, place)
        fast, slow = parse(text, html=True), parse("{% if true %}" + text + "{% endif %}", html=True)
        assert show(fast, person) == show(slow, person)
        return show(fast, person)

    assert placed("{{ q }}", Place.URL) == "a%20b%26c%3D%2F%2Fd"
    assert placed("{{- q | raw -}}", Place.URL) == "a b&c=//d"
    assert placed("{{ q | url_encode }}", Place.URL) == "a+b%26c%3D%2F%2Fd"
    assert placed("{{ x | default: 'dear friend' }}", Place.URL) == "dear%20friend"
    assert placed("{{ u }}", Place.LINK) == "https://x.example/p%20a?q=1&r=2"
    assert placed("{{ u }}", Place.SOURCE) == "https://x.example/p%20a?q=1&amp;r=2"
    assert placed("{{ bad }}", Place.LINK) == placed("{{ bad }}", Place.SOURCE) == ""


def test_plain_look_ups_need_no_engine() -> None:
    assert parse("{{ a }} {{ contact.email | default: 'x' }} {{ fields.A.B | raw }}", html=True).start is None
    assert parse("{{ a | upcase }}").start is not None
