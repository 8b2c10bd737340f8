"""The files of the data folder: artifacts, reports, evaluations, gold models."""
