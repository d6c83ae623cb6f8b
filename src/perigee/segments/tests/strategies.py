"""Hypothesis strategies of conditions over the made-up people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

from perigee.segments.comparisons import Comparison
from perigee.segments.conditions import All, AnyOf, Exclude, Not
from perigee.segments.dates import Period
from perigee.segments.leaves.addresses import (
    STATES,
    AddressStateLeaf,
    EmailDomainLeaf,
    HasAddressLeaf,
)
from perigee.segments.leaves.bought import BoughtLeaf
from perigee.segments.leaves.counting import COUNT
from perigee.segments.leaves.events import EventLeaf
from perigee.segments.leaves.fields import COLUMNS, STORED, AdditionalLeaf, FieldLeaf
from perigee.segments.leaves.happenings import SOURCES
from perigee.segments.leaves.location import LanguageLeaf, PhoneCountryLeaf
from perigee.segments.leaves.membership import CategoryLeaf, SegmentLeaf
from perigee.segments.leaves.message_rates import _ORDER, _PERCENT, MessageRateLeaf
from perigee.segments.leaves.messages import (
    _GIVES_REASON,
    _HAS_DELAY,
    _LINK,
    _ONCE,
    _REASON,
    MessageLeaf,
    MessageTimeLeaf,
)
from perigee.segments.leaves.orders import _KINDS, OrdersLeaf
from perigee.segments.leaves.parameters import READINGS, Listed, Parameter
from perigee.segments.leaves.regular_demand import RegularDemandLeaf
from perigee.segments.leaves.tokens import DeviceTest, TokenLeaf
from perigee.segments.node import Node
from perigee.segments.tests.operands import comparisons, hours, periods, weekdays
from perigee.segments.tests.population import (
    CAMPAIGNS,
    DOMAINS,
    EVENT_TYPES,
    FIELDS,
    LANGUAGES,
    LISTS,
    MESSAGES,
    SITES,
    STATUSES,
    TAGS,
)
from perigee.segments.tests.strategies_shop import abandoned, carts, goods, product_changes, rfm, visits
from perigee.segments.values import Number, Text

DELAYS = (
    Comparison("at_most", value=3600),
    Comparison("at_least", value=86_400),
    Comparison("between", value=1, to=2_600_000),
    Comparison("less", value=0),
)


def columns() -> st.SearchStrategy[Node]:
    return st.sampled_from(sorted(COLUMNS)).flatmap(
        lambda name: st.builds(FieldLeaf, st.just(name), comparisons(COLUMNS[name].kind))
    )


def additional() -> st.SearchStrategy[Node]:
    return st.sampled_from(sorted(FIELDS.items())).flatmap(
        lambda field: st.builds(AdditionalLeaf, st.just(field[0]), comparisons(STORED[field[1]].kind))
    )


def has_addresses() -> st.SearchStrategy[Node]:
    return st.builds(HasAddressLeaf, st.sampled_from(["email", "phone"]))


def email_domains() -> st.SearchStrategy[Node]:
    return st.builds(EmailDomainLeaf, _some(*DOMAINS, "EXAMPLE.com"))


def languages() -> st.SearchStrategy[Node]:
    return st.builds(LanguageLeaf, _some(*LANGUAGES))


def phone_countries() -> st.SearchStrategy[Node]:
    return st.builds(PhoneCountryLeaf, _some("UA", "US", "CA", "GB", "JE", "KZ"))


def _some(*values: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True).map(tuple)


@st.composite
def address_states(draw: st.DrawFn) -> Node:
    name = draw(st.sampled_from(sorted(STATES)))
    state = STATES[name]
    given = {}
    for member, column, kind in (
        ("since", state.since, Period()),
        ("source", state.source, _REASON),
        ("reason", state.reason, _REASON),
    ):
        if column is not None and draw(st.integers(0, 2)) == 0:
            given[member] = draw(comparisons(kind))
    return AddressStateLeaf(draw(st.sampled_from(["email", "phone"])), name, **given)


def tokens() -> st.SearchStrategy[Node]:
    device = st.builds(DeviceTest, st.sampled_from(["os", "deviceModel"]), comparisons(Text(folded=True)))
    return st.builds(
        TokenLeaf,
        kind=st.sampled_from(["webpush", "mobilepush"]),
        app_id=st.sampled_from([None, None, "app1", "app2"]),
        active=st.sampled_from([None, True, False]),
        device=st.just(()) | st.lists(device, min_size=1, max_size=2).map(tuple),
        created=periods(),
        times=comparisons(COUNT),
    ) | st.builds(TokenLeaf, kind=st.just("webpush"), site=st.sampled_from([*SITES.values(), "Blog.example"]))


def in_segments() -> st.SearchStrategy[Node]:
    return st.builds(SegmentLeaf, st.sampled_from([*LISTS, 799]), periods())


def categories() -> st.SearchStrategy[Node]:
    return st.builds(CategoryLeaf, st.sampled_from(["news", "gone"]), periods())


def purchases() -> dict[str, st.SearchStrategy[Any]]:
    """Members that narrow conditions on orders."""
    statuses = st.lists(st.sampled_from(STATUSES), min_size=1, max_size=2, unique=True).map(tuple)
    return {
        "which": st.sampled_from(["delivered", "placed"]) | statuses,
        "period": periods(),
        "source": st.sampled_from([None, None, "online", "offline"]),
        "currency": st.sampled_from([None, None, "UAH", "USD", "EUR"]),
        "product": goods(),
    }


def orders() -> st.SearchStrategy[Node]:
    return st.sampled_from(sorted(_KINDS)).flatmap(
        lambda measure: st.builds(
            OrdersLeaf, measure=st.just(measure), test=comparisons(_KINDS[measure]), **purchases()
        )
    )


def bought() -> st.SearchStrategy[Node]:
    return st.builds(BoughtLeaf, quantity=comparisons(Number()), **purchases())


def regular_demand() -> st.SearchStrategy[Node]:
    return st.builds(
        RegularDemandLeaf, due=comparisons(Period()), least=st.sampled_from([2, 2, 3]), **purchases()
    )


def parameters(*names: str) -> st.SearchStrategy[tuple[Parameter, ...]]:
    parameter = st.sampled_from(sorted(READINGS)).flatmap(
        lambda kind: st.builds(
            Parameter, st.sampled_from(names), comparisons(READINGS[kind].kind), st.just(kind)
        )
    )
    return st.lists(parameter, max_size=2).map(tuple)


def events() -> st.SearchStrategy[Node]:
    listed = st.builds(Listed, st.sampled_from(["goods", "price", "gone"]), parameters("price", "name"))
    return st.builds(
        EventLeaf,
        st.sampled_from([*EVENT_TYPES, "gone"]),
        comparisons(COUNT),
        periods(),
        parameters("price", "name", "gone"),
        hours=hours(),
        weekdays=weekdays(),
        items=st.none() | listed,
    ) | st.builds(
        EventLeaf,
        st.sampled_from(sorted(EVENT_TYPES)),
        period=periods(),
        where=parameters("price", "name"),
        which=st.sampled_from(["first", "last"]),
        weekdays=weekdays(),
        items=st.none() | listed,
    )


def _few(*values: Any) -> st.SearchStrategy[tuple[Any, ...]]:
    """Mostly none, which narrows nothing."""
    return st.just(()) | st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True).map(tuple)


def narrowing_members() -> dict[str, st.SearchStrategy[Any]]:
    """Of a `MessageFilter`."""
    return {
        "channel": st.sampled_from(["email", "sms"]),
        "kinds": _few("campaign", "single", "test"),
        "campaigns": _few(*CAMPAIGNS, 999),
        "messages": _few(*MESSAGES, 999),
        "tags": _few(*TAGS, "gone"),
        "categories": _few("news"),
        "variant": st.integers(0, 3),
        "languages": _few(*LANGUAGES),
        "domains": _few(*DOMAINS, "Example.com", "my%shop.example"),
        "period": comparisons(Period()),
        "hours": _few(*range(24)),
        "weekdays": _few(*range(1, 8)),
    }


def narrowings() -> st.SearchStrategy[dict[str, Any]]:
    """Members of a `MessageFilter`, a few of them given."""
    members = narrowing_members()
    return st.lists(st.sampled_from(sorted(members)), max_size=3, unique=True).flatmap(
        lambda names: st.fixed_dictionaries(
            {
                name: st.sampled_from(["email"])
                if name == "channel" and "domains" in names
                else members[name]
                for name in names
            }
        )
    )


@st.composite
def _happenings(draw: st.DrawFn) -> dict[str, Any]:
    """Members of a `HappeningFilter`."""
    what = draw(st.sampled_from(sorted(SOURCES)))
    given = {"what": what, **draw(narrowings())}
    for name, kind, of in (("link", _LINK, ("clicked",)), ("reason", _REASON, _GIVES_REASON)):
        if what in of and draw(st.integers(0, 2)) == 0:
            given[name] = draw(comparisons(kind))
    if what in _HAS_DELAY and draw(st.integers(0, 2)) == 0:
        given["delay"] = draw(st.sampled_from(DELAYS))
    return given


@st.composite
def messages(draw: st.DrawFn) -> Node:
    return MessageLeaf(times=draw(comparisons(COUNT)), **draw(_happenings()))


@st.composite
def message_times(draw: st.DrawFn) -> Node:
    which: Any = draw(st.sampled_from(["last", "first"]))
    return MessageTimeLeaf(which=which, test=draw(comparisons(_ONCE)), **draw(_happenings()))


@st.composite
def message_rates(draw: st.DrawFn) -> Node:
    per, of = sorted(draw(st.lists(st.sampled_from(range(len(_ORDER))), min_size=2, max_size=2, unique=True)))
    return MessageRateLeaf(
        of=_ORDER[of],
        per=_ORDER[per],
        percent=draw(comparisons(_PERCENT)),
        least=draw(st.sampled_from([1, 2])),
        **draw(narrowings()),
    )


LEAVES: Mapping[str, Callable[[], st.SearchStrategy[Any]]] = {
    "field": columns,
    "additional": additional,
    "has_address": has_addresses,
    "email_domain": email_domains,
    "address_state": address_states,
    "token": tokens,
    "language": languages,
    "phone_country": phone_countries,
    "segment": in_segments,
    "category": categories,
    "orders": orders,
    "bought": bought,
    "event": events,
    "site": visits,
    "cart": carts,
    "product_change": product_changes,
    "regular_demand": regular_demand,
    "rfm": rfm,
    "abandoned": abandoned,
    "message": messages,
    "message_time": message_times,
    "message_rate": message_rates,
}
"""Every single condition, by its name on the wire."""


def leaves() -> st.SearchStrategy[Any]:
    return st.one_of([generated() for generated in LEAVES.values()])


def trees() -> st.SearchStrategy[Any]:
    """Single conditions and trees of up to about a dozen of them."""
    return st.recursive(
        leaves(),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=4).map(lambda of: All(tuple(of))),
            st.lists(inner, min_size=1, max_size=4).map(lambda of: AnyOf(tuple(of))),
            inner.map(Not),
            st.builds(Exclude, inner, inner),
        ),
        max_leaves=12,
    )
