"""The report of a finished run, as the pages Run and Compare show it."""
