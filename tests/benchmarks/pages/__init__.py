"""What measures the pages, and what it must find."""
