"""A report in the browser: its page, its files, explanations of images, and the map of features."""
