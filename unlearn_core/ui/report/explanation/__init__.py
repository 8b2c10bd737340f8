"""The explanation of one image: its upload, the question, and the heat maps that answer it."""
