"""The ladder of stochastic re-initialisation: what each of its ideas adds, on an original that has memorised."""
