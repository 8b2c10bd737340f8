"""The gallery: all images of a list in one component, which draws only those that are in sight."""
