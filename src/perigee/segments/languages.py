"""Languages by their tags: one named without a region or script stands for those with one. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from perigee.segments.sql import Sql


def language_sql(sql: Sql, expression: str, languages: Sequence[str]) -> str:
    """That a language is one of these, or one of these with more behind it (RFC 4647, basic filtering)."""
    return f"(lower({expression}) || '-') ^@ any({sql.bind(_ranges(languages), 'text[]')})"


def in_languages(language: str | None, languages: Sequence[str]) -> bool:
    """The same for one language."""
    return language is not None and f"{language.lower()}-".startswith(tuple(_ranges(languages)))


def _ranges(languages: Sequence[str]) -> list[str]:
    return [f"{language.lower().replace('_', '-')}-" for language in languages]
