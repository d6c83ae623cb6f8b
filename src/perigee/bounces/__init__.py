"""What comes back: bounces, complaints and unsubscriptions by mail."""
