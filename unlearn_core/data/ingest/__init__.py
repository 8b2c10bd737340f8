"""Import of data sets: check, decode, split into training, validation and test, and store. None of it needs torch."""
