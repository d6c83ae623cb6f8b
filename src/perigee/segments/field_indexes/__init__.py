"""Indexes of `contact` for the additional fields that dynamic segments compare, made and dropped as they are needed."""
