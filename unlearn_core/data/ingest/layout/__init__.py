"""What the files of a zip or folder are: images and of which class and split, tables of labels, or something else."""
