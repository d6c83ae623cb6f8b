"""Velocity: every construct of TRACKING 8.2, what data can do to a template, and what no template can do."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perigee.errors import Invalid
from perigee.messages.email import compile_email
from perigee.messages.engine import Moment, Source, Template, Value
from perigee.messages.person import Names, Person
from perigee.messages.prepare import inline
from perigee.messages.preview import preview
from perigee.messages.tests.factories import NOW as SENT_AT
from perigee.messages.tests.factories import QUIET, ReadableLinks, email
from perigee.messages.validate import validate
from perigee.messages.velocity.choose import engine_for
from perigee.messages.velocity.engine import Velocity

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
DATA: dict[str, object] = {
    "discount": "5%",
    "order": {"name": "O-1", "total": 12.5},
    "items": [{"name": "Mug", "id": 7}, {"name": "T&C", "id": 8}],
    "list": [{"id": 1}],
    "a": "1",
    "five": 5,
    "empty": "",
    "json": '[{"name": "Old"}]',
}
NAMES = Names({"PERSONAL.BONUS": "7201"}, {"message_name": "Welcome"})
ANNA = Person(
    first_name="Анна", email="anna@example.com", time_zone="Europe/Kyiv", fields={"7201": 15}, data=DATA
)


def parse(text: str, *, html: bool = False) -> Template:
    return Velocity().parse(Source(text, "htmlText", html), NAMES)


def render(text: str, *, html: bool = False, data: Mapping[str, object] | None = None) -> str:
    person = ANNA if data is None else replace(ANNA, data=data)
    template = parse(text, html=html)
    state = template.start(person, Moment(NOW, lambda name: f"https://l/{name}")) if template.start else None
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


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        # Values: quiet ones print nothing when missing, others themselves.
        ("$!data.get('discount')|$!data.get('x')|", "5%||"),
        ("$data.get('discount')|$data.get('x')|${data.x}|", "5%|$data.get('x')|${data.x}|"),
        ("$data.get('empty')|", "|"),
        ("$!{data.get('a')}st $!{data.discount}off", "1st 5%off"),
        ("$!data.get('FIRSTNAME') $!data.get('PERSONAL.BONUS') $!data.get('MESSAGENAME')", "Анна 15 Welcome"),
        # Nested, property style, size.
        ("$!data.get('order').get('name') $!data.get('items').get(1).get('name')", "O-1 T&C"),
        ("$data.list.get(0).id $data.items[1].name $data.order.total", "1 T&C 12.5"),
        ("$!data.get('x').get('y').get(0)|", "|"),
        ("$!data.get('items').size()", "2"),
        ("$!data.get('json').get(0).get('name') #foreach($i in $data.json)$i.name#end", "Old Old"),
        # Loops.
        ("#foreach($item in $data.get('items'))$velocityCount:$!item.get('name') #end", "1:Mug 2:T&C "),
        ("#foreach($!item in $!data.get('items'))$!item.id#if($foreach.hasNext),#end#end", "7,8"),
        ("#foreach($i in [1..9])#if($i == 4)#break#end$i#end", "123"),
        ("#foreach($x in ['a', 'b'])#foreach($y in [1,2])$x$y #end$velocityCount;#end", "a1 a2 1;b1 b2 2;"),
        ("#foreach($x in $data.none)x#end#foreach($v in {'k': 'v'})$v#end", "v"),
        # Assignments; setting nothing leaves what was there.
        ("#set($v='x')$v #set($n = 7 / 2)$n #set( $m = $n * 2 + 1 )$m", "x 3 7"),
        ("#set($v='x')#set($v=$data.none)$v", "x"),
        ("#set($name = \"Dear $!data.get('FIRSTNAME')!\")$name", "Dear Анна!"),
        ("#set($v='$data')$v", "$data"),
        ("#set($a='x'+1)$a #set($o={'k':[1,2]})$o.k.get(1) $o.get('k').size()", "x1 2 2"),
        # Conditions.
        ("#if($data.get('a')=='1')A#elseif(true)B#else C#end", "A"),
        ("#if($data.get('a')=='2')A#elseif($data.five gt 4)B#{else}C#end", "B"),
        ("#if(!($data.a == 1))A#{else}C#{end}!", "C!"),
        ("#if($data.five >= 5 && $data.five le 5 and not ($data.five lt 5))y#end", "y"),
        ("#if($data.five != 5 or $data.five ne 5 || false)y#{else}n#end", "n"),
        ("#if($data.get('empty') and $data.get('empty')!='')y#{else}n#end", "n"),
        ("#if($data.empty)set#end#if($data.none)y#{else}n#end", "setn"),
        ("#if($data.none == $null)y#end#if($data.none > 1)y#{else}n#end", "yn"),
        # Strings.
        ("#set($s='Hello')$s.length() $s.substring(1,3) $s.replace('l','L')", "5 el HeLLo"),
        ("$data.order.name.toLowerCase() #set($s='ab')$s.toUpperCase()", "o-1 AB"),
        ("#if($data.a.equals('1') and $data.order.name.equalsIgnoreCase('o-1'))y#end", "y"),
        # Tools.
        ("$mathTool.add(1,2) $mathTool.sub('5',2) $mathTool.mul(1.5,2) $mathTool.div(7,2)", "3 3 3.0 3.5"),
        ("$mathTool.div(8,2) $mathTool.toInteger('12.9') $!mathTool.div(1,0)|", "4 12 |"),
        ("$numberTool.integer(12.9) $numberTool.format('#.00', $data.order.total)", "12 12.50"),
        ("$numberTool.format('#,##0.00', 1234567.125)", "1,234,567.12"),
        ("$dateTool.currentDate() $dateTool.currentTimeStamp()", "24/11/2026 09:30 1795512600000"),
        ("$dateTool.currentDate('dd.MM.yyyy HH:mm:ss','GMT+3')", "24.11.2026 12:30:00"),
        ("$dateTool.formatDate('d MMM yyyy', 1795512600000)", "24 Nov 2026"),
        ("$dateTool.formatDate('dd.MM', '2026-03-08')", "08.03"),
        ("$dateTool.formatInContactTimezone('HH:mm', '2026-11-24T09:30:00Z')", "11:30"),
        ("$dateTool.addYears('29/02/2024',1) $dateTool.addMonths('31/01/2026',1)", "28/02/2025 28/02/2026"),
        (
            "$dateTool.addDays('2026-02-28',1) $dateTool.addHours('2026-02-28T23:30',1)",
            "2026-03-01 2026-03-01T00:30",
        ),
        ("$dateTool.addMinutes('08.03.2026 10:00',5,'dd.MM.yyyy HH:mm','HH:mm')", "10:05"),
        (
            "$dateTool.diff('2026-01-31','2026-03-01','MONTHS') $dateTool.diff('01/01/2026','02/01/2026','HOURS')",
            "1 24",
        ),
        ("$dateTool.diff('8.3.2026','8.3.2020','d.M.yyyy','YEARS')", "-6"),
        # Text: what is no code, comments, escapes, verbatim text, line ends behind directives.
        ("#fff $5 a#b $USD #header {x} #endless 100%", "#fff $5 a#b $USD #header {x} #endless 100%"),
        (r"\$data.a \#if(x) \\$data.a", r"$data.a #if(x) \1"),
        ("a#* $x *#c#[[ $data.a #if( ]]#", "ac $data.a #if( "),
        ("#if(true)\nx\n#end\ny## gone\nz", "x\nyz"),
        ("$DATA.a $Data.get('a')", "$DATA.a $Data.get('a')"),
        ("$unsubscribe_url.length()", "25"),
    ],
)
def test_what_authors_write(template: str, expected: str) -> None:
    assert render(template) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("$!data.x", "&lt;b&gt;&amp;"),
        ("#if(true)$data.x#end", "&lt;b&gt;&amp;"),
        ("#set($v='<i>')$v", "<i>"),
        ('#set($v="<i>$data.x</i>")$v', "<i>&lt;b&gt;&amp;</i>"),
        ("#set($v='<i>' + $data.x)$v", "<i>&lt;b&gt;&amp;"),
        ("#if(\"$!data.x\" == '<b>&')same#end", "same"),
        ("$data.x.raw()", "<b>&"),
    ],
)
def test_html_is_escaped_but_for_the_author(template: str, expected: str) -> None:
    assert render(template, html=True, data={"x": "<b>&"}) == expected


@pytest.mark.parametrize(
    ("template", "rule"),
    [
        ("a\n#if($data.a", "line 2: the bracket is not closed"),
        ("#if($data.a == )x#end", "expected a value"),
        ("#if(true)x", "#if has no #end"),
        ("x\n\n#end", "line 3: #end ends nothing"),
        ("#else", "does not follow an #if"),
        ("#break", "outside of a #foreach"),
        ("#set($data.a = 1)", "must have the form"),
        ("#foreach($data.items)x#end", "must have the form"),
        ("${data.a", "never closed"),
        ("#parse('/etc/passwd')", "nothing is loaded"),
        ("#include('/etc/passwd')", "nothing is loaded"),
        ("#evaluate($data.a)", "is not run"),
        ("#macro(x)#end", "not supported"),
        ("$data.getClass().forName('java.lang.Runtime')", "no method"),
        ("#if('aB'.equals('x'))y#end", "expected an operator or the end"),
        ("#foreach($i in [1])" * 40 + "#end" * 40, "nested more than"),
        ("#set($x=" + "(" * 60 + "1" + ")" * 60 + ")", "nested more than"),
        ("#set($x=" + "[" * 60 + "1" + "]" * 60 + ")", "nested more than"),
        ("$x" * 6_000, "pieces of code"),
    ],
)
def test_bad_code_is_refused_when_saved(template: str, rule: str) -> None:
    with pytest.raises(Invalid, match="htmlText: ") as caught:
        parse(template)
    assert rule in str(caught.value)
    assert caught.value.field == "htmlText"


@pytest.mark.parametrize(
    ("template", "rule"),
    [
        ("$!data.get('items').get(2).get('name')", "index 2 is beyond the end"),
        ("x\n#if(true)\n$data.items.get(-1)#end", "line 3: index -1"),
        ("$data.a.substring(0,9)", "beyond the end"),
        ("$dateTool.formatDate('dd', 'soon')", "is not a date"),
        ("$dateTool.currentDate('dd','Moon/Base')", "is not a time zone"),
        ("$dateTool.currentDate('dd','../../etc/passwd')", "is not a time zone"),
        ("$dateTool.addYears('01/01/2026', 99999)", "beyond the calendar"),
        ("$numberTool.format('#.00')", "does not take 1 arguments"),
    ],
)
def test_data_that_do_not_fit_stop_the_message(template: str, rule: str) -> None:
    with pytest.raises(Invalid) as caught:
        render(template)
    assert rule in str(caught.value)


@pytest.mark.parametrize(
    "template",
    [
        "#foreach($i in [1..99999999])x#end",
        "#foreach($i in [1..4000])#foreach($j in [1..4000])x#end#end",
        "#set($a='xxxxxxxxxx')#foreach($i in [1..4000])#set($a=$a+$a)#end",
        "#set($a='xxxxxxxxxx')#foreach($i in [1..4000])#set($a=\"$a$a\")#end",
        "#set($a=9)#foreach($i in [1..4000])#set($a=$a*$a)#end",
        "#set($a=9)#foreach($i in [1..4000])#set($a=$mathTool.mul($a,$a))#end",
        "#set($a=[1])#foreach($i in [1..4000])#set($a=[$a,$a])#end",
        "#foreach($i in [1..4000])$data.long#end",
        "#set($a=$data.long.replace('x','xxxxxxxxxxxxxxxxxxxx'))",
    ],
)
def test_no_template_outgrows_its_budget(template: str) -> None:
    with pytest.raises(Invalid, match=r"more than|longer than|too large"):
        render(template, data={"long": "x" * 50_000})


def test_python_is_out_of_reach() -> None:
    assert render("$!data.a.__class__() $!data.__class__|") == "1.__class__() .__class__|"
    for name in ("class", "person", "names", "get", "format", "mro"):
        assert render(f"$!data.{name}|$!data.a.{name}|$!mathTool.{name}|", data={"a": "x"}) == "|||"


@pytest.mark.parametrize("hostile", ["$data.a", "#if(", "${x", "%EMAIL%", "#end"])
def test_a_value_is_never_parsed(hostile: str) -> None:
    assert render("#if(true)$data.x#end$!data.x", data={"x": hostile}) == hostile * 2


@given(st.text(alphabet="$#!{}()[]'\"\\.,=data ifendsetx1\n&;\ufdd1", max_size=60))
@settings(max_examples=150, deadline=None)
def test_any_source_is_rendered_or_refused(source: str) -> None:
    with suppress(Invalid):
        render(source, html=True)


def shown(html: str, data: Mapping[str, object] = DATA, **members: str) -> str:
    version = replace(email(html, **members), engine="velocity")
    return compile_email(version, QUIET).html(replace(ANNA, data=data), ReadableLinks(), SENT_AT)


def test_directives_hide_in_comments_and_keep_what_editors_did_to_them() -> None:
    page = "<ul><!-- #foreach($i in $data.get(&quot;items&quot;)) --><li>$!i.name</li><!-- #end --></ul>"
    assert "<li>Mug</li>" in shown(page)
    assert "<li>T&amp;C</li>" in shown(page)
    assert shown("#if($data.five &gt; 4 &amp;&amp; $data.a == '1')y#end") == "y"


def test_links_images_and_merge_tags_work_beside_it() -> None:
    data = {"url": "https://shop.example/a b", "q": "a&b=1", "img": "javascript:x"}
    assert shown("<a href=\"$!data.get('url')\">x</a>", data) == (
        f'<a href="https://l.test/c/1/{b"https://shop.example/a%20b".hex()}">x</a>'
    )
    assert b"https://s.example/?q=a%26b%3D1".hex() in shown(
        '<a href="https://s.example/?q=$!data.q">x</a>', data
    )
    assert shown('<img src="$!data.img">', data) == '<img src="">'
    assert shown("%FIRSTNAME|friend% #if(true)%TOWN|your city%#end") == "Анна your city"
    loop = '#foreach($u in $data.urls)<a href="$u">$velocityCount</a>#end'
    assert b"https://b.example".hex() in shown(loop, {"urls": ["https://a.example", "https://b.example"]})


def test_text_beside_code_never_becomes_code() -> None:
    page = "<p>#if($data.a)<i>$!data.a</i>.get(<b>x</b>) #else</b>no#end</p>"
    version = replace(email(page, subject="#if($data.a)$!data.discount#end"), engine="velocity")
    shown_ = preview(version, QUIET, ANNA, now=SENT_AT)
    assert shown_.subject == "5%"
    assert shown_.text.strip() == "1.get(x)"


def test_preview_names_missing_values() -> None:
    version = replace(email("$!data.none #if(true)$data.other#end"), engine="velocity")
    messages = [warning.message for warning in preview(version, QUIET, ANNA, now=SENT_AT).warnings]
    assert "$!data.none has no value and no fallback" in messages
    assert "$data.other has no value and no fallback" in messages


def test_styles_are_inlined_around_it() -> None:
    page = "<style>p{color:red}</style>#if($data.a > 1)<p title=\"$!data.get('x')\">$!data.a</p>#end"
    made = inline(page, "", Velocity(), "htmlText", style_tags=True)
    assert "#if($data.a > 1)" in made
    assert "$!data.get('x')" in made
    assert 'style="color: red' in made


def test_a_message_is_checked_when_saved() -> None:
    content = email("<p>#if($data.a</p>").content
    with pytest.raises(Invalid, match="htmlText: line 1: the bracket"):
        validate(content, engine="velocity")


@pytest.mark.parametrize(
    ("texts", "current", "engine"),
    [
        (["Hi", "$!data.get('x')"], "liquid", "velocity"),
        (["#if($x)y#end"], "liquid", "velocity"),
        (["#foreach ($i in $l)y#end"], "liquid", "velocity"),
        (["${data.x}"], "liquid", "velocity"),
        (["$dateTool.currentDate()"], "liquid", "velocity"),
        (["Hi {{ first_name }}"], "velocity", "liquid"),
        (["{% if x %}", "$data.x"], "liquid", "liquid"),
        (["$5 #fff %FIRSTNAME%"], "velocity", "velocity"),
    ],
)
def test_how_the_language_of_a_message_is_told(texts: list[str], current: str, engine: str) -> None:
    assert engine_for(texts, current) == engine
