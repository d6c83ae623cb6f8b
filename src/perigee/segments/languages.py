"""Languages by their tags: one named without a region or script stands for those with one. Pure.

Stored tags are in the normal form (`perigee.lib.languages`), so the column itself is compared, of which the planner
knows how its values are spread.
"""

from __future__ import annotations

from collections.abc import Sequence

from perigee.errors import Invalid
from perigee.lib.languages import normal_language
from perigee.segments.sql import Sql


def check_languages(languages: Sequence[str], at: str) -> None:
    """Raises Invalid naming the member under `at` and the one that is no language tag."""
    for n, language in enumerate(languages):
        if normal_language(language) is None:
            raise Invalid.of(f"{at}[{n}]", language, "is not a language code like en or es-AR")


def language_sql(sql: Sql, column: str, languages: Sequence[str]) -> str:
    """That a language is one of these, or one of these with more behind it (RFC 4647, basic filtering)."""
    tags = _tags(languages)
    alone = sql.bind(tags, "text[]")
    more = sql.bind([f"{tag}-" for tag in tags], "text[]")
    return f"({column} = any({alone}) or {column} ^@ any({more}))"


def in_languages(language: str | None, languages: Sequence[str]) -> bool:
    """The same for one language."""
    tags = _tags(languages)
    return language is not None and (
        language in tags or language.startswith(tuple(f"{tag}-" for tag in tags))
    )


def _tags(languages: Sequence[str]) -> list[str]:
    return [tag for language in languages if (tag := normal_language(language)) is not None]
