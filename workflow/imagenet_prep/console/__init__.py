"""What a run shows on its terminal: how far it is, what went wrong, and what is there."""
