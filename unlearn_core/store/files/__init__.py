"""The files of the data folder: artifacts, reports, evaluations, retrained models."""
