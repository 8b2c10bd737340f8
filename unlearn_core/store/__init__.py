"""The only code that touches runs, artifacts and the database in the data folder."""
