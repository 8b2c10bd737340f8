"""The parts of the page Classifier."""
