"""Export of runs: HTML report, model card, archive, settings. No torch."""
