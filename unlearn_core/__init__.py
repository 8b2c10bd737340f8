"""Machine unlearning of image classifiers: methods, measurements, runs, charts, pages and command line."""
