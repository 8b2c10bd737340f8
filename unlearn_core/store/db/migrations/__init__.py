"""Migrations from the database schemas of earlier releases; run by store/db/database.py, never by hand."""
