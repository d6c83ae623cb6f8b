"""`perigee openapi`: the machine-readable description of every method."""

from __future__ import annotations

from perigee.openapi import snapshot


def openapi(*, write: bool = False) -> None:
    """Print the OpenAPI 3.1 document of all methods; the server has it at /api/openapi.json.

    Parameters
    ----------
    write
        Write it into the source tree instead, with the table of what the eSputnik API has and what is served
        (docs/reference/openapi.json and docs/reference/esputnik-compatibility.md).
    """
    if not write:
        print(snapshot.openapi_text(), end="")
        return
    for path in snapshot.write():
        print(f"wrote {path}")
