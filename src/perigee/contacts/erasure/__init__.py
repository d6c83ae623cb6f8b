"""Removing people for good: no table keeps what names them (reliability 39)."""
