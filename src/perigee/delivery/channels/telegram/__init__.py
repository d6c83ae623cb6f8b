"""Telegram: messages of a bot to those who started it, over the Bot API."""
