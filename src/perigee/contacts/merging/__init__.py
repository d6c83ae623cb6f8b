"""Duplicates: contacts that share an email or a phone, merged into one and, for a while, taken apart again (product 2)."""
