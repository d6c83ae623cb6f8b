"""Loads the named queries of a package's `queries.sql`.

A query starts with `-- name: verb_noun`; comment lines below it say why it is as it is. Parameters are
psycopg's named form, `%(org_id)s`. Every query names one organisation; one that must look across them says so
with a line `-- across organisations: <reason>` (a test checks both).
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


class Queries:
    """Texts of queries by name; `queries.find_contact` is the text of `-- name: find_contact`."""

    def __init__(self, package: str, texts: dict[str, str]) -> None:
        self.package = package
        self.texts = texts

    def __getattr__(self, name: str) -> str:
        try:
            return self.texts[name]
        except KeyError:
            raise AttributeError(f"{self.package}/queries.sql has no query {name!r}") from None


@cache
def load(package: str) -> Queries:
    """`load(__package__)`: the queries beside the calling module."""
    source = resources.files(package).joinpath("queries.sql").read_text("utf-8")
    parts = _NAME.split(source)
    texts: dict[str, str] = {}
    for name, text in zip(parts[1::2], parts[2::2], strict=True):
        if name in texts:
            raise ValueError(f"{package}/queries.sql defines {name!r} twice")
        texts[name] = text.strip()
    return Queries(package, texts)
