"""What providers and recipients report after a message was handed over (protocols 2.12, reliability 24)."""

from perigee.delivery.events.apply import Fate, apply
from perigee.delivery.events.report import Report

__all__ = ["Fate", "Report", "apply"]
