"""Webhook: a JSON document per person, posted to the organisation's own endpoint."""
