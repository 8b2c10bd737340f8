"""Charts of what an attacker can learn, one file each with a CHART: the section Privacy of a report."""
