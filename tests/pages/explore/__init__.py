"""The pages of the section Explore."""
