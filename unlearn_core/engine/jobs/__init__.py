"""The jobs other than unlearning, one file each."""
