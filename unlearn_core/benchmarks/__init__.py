"""What makes the committed assets, RESULTS.md and the published comparisons."""
