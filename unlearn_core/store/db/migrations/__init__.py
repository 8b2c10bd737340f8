"""How databases of earlier releases become what this one reads; run by store/db/database.py, never by hand."""
