"""Look-ups that are remembered."""

from __future__ import annotations

from perigee.lib.remembered import Remembered


class Shelf:
    def __init__(self) -> None:
        self.things: dict[str, int] = {"a": 1}
        self.asked: list[str] = []
        self.now = 0.0
        self.kept = Remembered(self.look, seconds=60, keep=2, clock=lambda: self.now)

    async def look(self, key: str) -> int | None:
        self.asked.append(key)
        return self.things.get(key)


async def test_an_answer_is_kept_for_its_time_and_a_miss_as_well() -> None:
    shelf = Shelf()
    for _ in range(2):
        assert await shelf.kept.get("a") == 1
        assert await shelf.kept.get("b") is None
    assert shelf.asked == ["a", "b"]
    shelf.things["b"] = 2
    shelf.now = 60.0
    assert await shelf.kept.get("b") == 2


async def test_the_oldest_answers_make_room() -> None:
    shelf = Shelf()
    for key in "abc":
        await shelf.kept.get(key)
    await shelf.kept.get("c")
    await shelf.kept.get("a")
    assert shelf.asked == ["a", "b", "c", "a"]
