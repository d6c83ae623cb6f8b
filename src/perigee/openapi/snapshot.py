"""The files of the documentation that are made from the declarations; a test keeps them current."""

from __future__ import annotations

import json
from pathlib import Path

from perigee.http.routes import operations
from perigee.openapi.compatibility import page
from perigee.openapi.document import document

REFERENCE = Path(__file__).parents[3] / "docs" / "reference"
OPENAPI_FILE = REFERENCE / "openapi.json"
COMPATIBILITY_FILE = REFERENCE / "esputnik-compatibility.md"


def openapi_text() -> str:
    """Sorted and indented, so that a change reads as one."""
    return json.dumps(document(operations()), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def compatibility_text() -> str:
    return page(operations())


def write() -> list[Path]:
    """Raises OSError where this is not a source tree."""
    OPENAPI_FILE.write_text(openapi_text())
    COMPATIBILITY_FILE.write_text(compatibility_text())
    return [OPENAPI_FILE, COMPATIBILITY_FILE]
