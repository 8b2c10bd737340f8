"""What the numbers of a run say in sentences: verdict, warnings, comparison."""
