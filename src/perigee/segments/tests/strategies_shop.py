"""Hypothesis strategies of conditions on products and on what people do on the site."""

from __future__ import annotations

from typing import Any, get_args

from hypothesis import strategies as st

from perigee.rfm.cells import COLUMNS, GRIDS, ROWS
from perigee.segments.comparisons import Comparison
from perigee.segments.dates import Period
from perigee.segments.leaves.cart import AbandonedLeaf, CartLeaf
from perigee.segments.leaves.counting import COUNT
from perigee.segments.leaves.goods import By, ProductTest
from perigee.segments.leaves.product_change import ProductChangeLeaf
from perigee.segments.leaves.rfm import RfmLeaf
from perigee.segments.leaves.site import _TEXTS, SiteLeaf
from perigee.segments.leaves.visits import VISITS
from perigee.segments.node import Node
from perigee.segments.tests.operands import comparisons, hours, periods, weekdays
from perigee.segments.tests.population import PRODUCTS
from perigee.segments.values import Number


def goods() -> st.SearchStrategy[tuple[ProductTest, ...]]:
    def test(by: Any) -> st.SearchStrategy[ProductTest]:
        tag = st.sampled_from(["color", "gone"]) if by == "tag" else st.none()
        kind = ProductTest(by, Comparison("filled")).kind
        operand = comparisons(kind) | st.just(Comparison("equals", value="true"))
        return st.builds(ProductTest, st.just(by), comparisons(kind) if by == "price" else operand, tag)

    known = st.sampled_from(get_args(By)).flatmap(test)
    ids = st.sampled_from(PRODUCTS).map(lambda one: ProductTest("id", Comparison("equals", value=one)))
    return st.lists(known | ids, max_size=2).map(tuple)


@st.composite
def visits(draw: st.DrawFn) -> Node:
    what: Any = draw(st.sampled_from(sorted(VISITS)))
    about = VISITS[what].about
    given: dict[str, Any] = {}
    if about in _TEXTS and draw(st.booleans()):
        given["test"] = draw(comparisons(_TEXTS[about]))
    if about in ("product", "products"):
        given["product"] = draw(goods())
    return SiteLeaf(
        what=what,
        times=draw(comparisons(COUNT)),
        period=draw(periods()),
        hours=draw(hours()),
        weekdays=draw(weekdays()),
        **given,
    )


def product_changes() -> st.SearchStrategy[Node]:
    given: dict[str, st.SearchStrategy[Any]] = {
        "period": comparisons(Period()),
        "interest": st.lists(
            st.sampled_from(["product", "wishlist", "cart"]), min_size=1, max_size=3, unique=True
        ).map(tuple),
        "interest_days": st.sampled_from([1, 7, 500, 36_500]),
        "product": st.just(()) | goods(),
    }
    return st.builds(ProductChangeLeaf, change=st.just("back_in_stock"), **given) | st.builds(
        ProductChangeLeaf, change=st.just("price_drop"), percent=st.sampled_from([0, 10, 50, 99]), **given
    )


def _worth() -> st.SearchStrategy[Comparison | None]:
    return st.none() | st.none() | comparisons(Number())


def abandoned() -> st.SearchStrategy[Node]:
    hours_apart = st.sampled_from([(0, 1), (0, 24), (1, 48), (23, 400), (24, 8784)])
    return st.builds(
        lambda what, apart, of, worth: AbandonedLeaf(
            what=what, after_hours=apart[0], within_hours=apart[1], product=of, value=worth
        ),
        st.sampled_from(["cart", "view"]),
        hours_apart,
        goods(),
        _worth(),
    )


def rfm() -> st.SearchStrategy[Node]:
    return st.builds(
        RfmLeaf,
        grid=st.sampled_from(GRIDS),
        recency=st.lists(st.integers(1, COLUMNS), max_size=3, unique=True).map(tuple),
        frequency=st.lists(st.integers(1, ROWS), max_size=3, unique=True).map(tuple),
        since=periods(),
    )


def carts() -> st.SearchStrategy[Node]:
    return st.builds(CartLeaf, product=goods(), value=_worth(), period=periods())
