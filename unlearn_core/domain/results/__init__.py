"""The results of measurements: one frozen type each, with the only code that reads and writes their stored form."""
