"""Fixtures: a feed by link."""

from __future__ import annotations

from perigee.testing.files import files, settings

__all__ = ["files", "settings"]
