"""Who may read and change what, who visitors are, and what they own."""
