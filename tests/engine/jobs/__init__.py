"""The measurements on request of a tiny run, and the features that they share."""
