"""How long what happened is kept: old months of events, activity and deliveries go, old orders too (DESIGN 4.4)."""
