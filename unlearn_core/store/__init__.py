"""The data folder: the only code that reads and writes runs, artifacts and the database."""
