"""All that is stored about one person, for that person to read (GDPR article 15 and 20)."""
