"""The page on which people sign in, and what it keeps for those who come back."""
