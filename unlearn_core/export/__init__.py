"""What leaves the house: the report as one file, weights with a model card, and all of it as an archive. No torch."""
