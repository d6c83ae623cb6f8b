"""One person's rendering: what the slots of a compiled message are filled from."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from perigee.messages.engine import Block, Moment, State, Value
from perigee.messages.links import TRAP, LinkMaker
from perigee.messages.opaque import MARK_CHARACTER, URL_NAMES, Mark, split
from perigee.messages.person import Person
from perigee.messages.slots import DIRECT, UNTRACKED, finish_target


class Rendering:
    """Person, links and the states of those sources that have blocks, made when the first block needs them."""

    __slots__ = ("epoch", "links", "person", "states")

    def __init__(self, person: Person, links: LinkMaker, epoch: int) -> None:
        self.person = person
        self.links = links
        self.epoch = epoch
        self.states: dict[int, State] = {}

    def state(self, number: int, start: Callable[[Person, Moment], State]) -> State:
        state = self.states.get(number)
        if state is None:
            moment = Moment(datetime.fromtimestamp(self.epoch, UTC), self.url)
            state = self.states[number] = start(self.person, moment)
        return state

    def url(self, name: str) -> str:
        return link(URL_NAMES[name], 0, self.links)


@dataclass(frozen=True, slots=True)
class Script:
    """A compiled source: static text, and slots in order. `number` tells sources of one message apart."""

    number: int
    html: bool
    pieces: Sequence[str | Slot]
    start: Callable[[Person, Moment], State] | None

    @property
    def is_static(self) -> bool:
        return all(isinstance(piece, str) for piece in self.pieces)

    def text(self, rendering: Rendering) -> str:
        """The whole source for one person, as text."""
        return "".join(piece if isinstance(piece, str) else piece.fill(rendering) for piece in self.pieces)


@dataclass(frozen=True, slots=True)
class ValueSlot:
    value: Value

    def fill(self, rendering: Rendering) -> str:
        return self.value.render(rendering.person)


@dataclass(frozen=True, slots=True)
class BlockSlot:
    block: Block
    number: int
    start: Callable[[Person, Moment], State]
    html: bool

    def fill(self, rendering: Rendering) -> str:
        text = self.block.render(rendering.state(self.number, self.start))
        return fill_marks(text, rendering, self.html) if MARK_CHARACTER in text else text


@dataclass(frozen=True, slots=True)
class LinkSlot:
    """A slot that needs nothing but the link maker."""

    kind: Mark
    number: int

    def fill(self, rendering: Rendering) -> str:
        return link(self.kind, self.number, rendering.links)


@dataclass(frozen=True, slots=True)
class TargetSlot:
    """A link whose target is rendered for each person. `prefix`: see `slots.finish_target`."""

    number: int
    pieces: tuple[str | Slot, ...]
    prefix: str
    html: bool

    def fill(self, rendering: Rendering) -> str:
        target = "".join(piece if isinstance(piece, str) else piece.fill(rendering) for piece in self.pieces)
        return signed(self.number, finish_target(target, self.prefix), rendering.links, self.html)


Slot = ValueSlot | BlockSlot | LinkSlot | TargetSlot


def link(kind: Mark, number: int, links: LinkMaker) -> str:
    match kind:
        case Mark.CLICK:
            return links.click(number, None)
        case Mark.UNSUBSCRIBE:
            return links.unsubscribe()
        case Mark.VIEW:
            return links.view()
        case Mark.PIXEL:
            return links.open_pixel()
        case Mark.PREFERENCES:
            return links.preferences()
        case Mark.CONFIRM:
            return links.confirm()
        case Mark.TRAP:
            return links.click(TRAP, None)
        case _:
            return ""


def signed(number: int, target: str, links: LinkMaker, in_html: bool) -> str:
    """The link to a rendered target; addresses that are not of the web, and untracked ones, as they are."""
    if number == DIRECT:
        target = links.direct(target)
    elif number != UNTRACKED and target[:4].lower() == "http":
        return links.click(number, target)
    if not target:
        return "#" if in_html else ""
    return html.escape(target) if in_html else target


def fill_marks(text: str, rendering: Rendering, in_html: bool) -> str:
    """Slots in what a block gave out (a loop over links). A target that is cut in two is left as text."""
    out: list[str] = []
    target: list[str] | None = None
    number = 0
    for part in split(text):
        if isinstance(part, str):
            (out if target is None else target).append(part)
        elif part[0] is Mark.TARGET:
            target, number = [], part[1]
        elif part[0] is Mark.END:
            out.append(signed(number, finish_target("".join(target or ()), ""), rendering.links, in_html))
            target = None
        else:
            out.append(link(*part, rendering.links))
    return "".join(out + (target or []))
