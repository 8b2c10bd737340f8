"""From a RunSpec to a Report, with no queue and no web page in sight."""
