"""Perigee: self-hosted omnichannel marketing automation that speaks the eSputnik API."""

__version__ = "0.1.0"
