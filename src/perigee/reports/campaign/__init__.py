"""What became of a campaign, in depth: breakdowns, the table of its people and its export, the money it brought."""
