"""The three core methods beside their papers: what was measured of each claim, and docs/reproduction.md."""
