"""Pages by number (`startindex`), served by key."""
