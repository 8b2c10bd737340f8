"""Machine unlearning of image classifiers: before, after and gold, without a web page in sight."""
