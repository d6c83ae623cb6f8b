"""Exports to CSV files and to lists: asked for, made in the background page by page, fetched, forgotten."""
