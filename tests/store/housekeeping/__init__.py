"""What is stored of whom, and how it is deleted."""
