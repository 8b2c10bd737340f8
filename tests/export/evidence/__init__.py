"""Evidence sheets: round trips, tampering, hostile folders, and the page."""
