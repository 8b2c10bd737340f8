"""Commands that unlearn at once."""
