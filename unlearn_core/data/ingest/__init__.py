"""How pictures come in: checked, decoded, cut into training, validation and test, and kept. None of it needs torch."""
