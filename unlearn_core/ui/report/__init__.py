"""The report of a finished run, shown on the pages Run and Compare."""
