"""How databases of earlier releases become what this one reads; run by store/database.py, never by hand."""
