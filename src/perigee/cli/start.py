"""What commands share at their start: settings and logs."""

from __future__ import annotations

import os

from perigee.observe import configure_logging
from perigee.settings import Settings


def start() -> Settings:
    """The settings, with logging set up by them."""
    settings = Settings.load()
    configure_logging(settings, part=os.environ.get("PERIGEE_PART"))
    return settings
