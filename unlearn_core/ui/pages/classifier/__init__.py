"""The page Classifier."""
