"""The jobs beside unlearning itself, one file each."""
