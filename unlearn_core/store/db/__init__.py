"""The database: connection, schema, rows and migrations."""
