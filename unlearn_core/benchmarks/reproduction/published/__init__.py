"""UNSIR and L2UL in their published settings: larger models on all of CIFAR, beside retrained ones."""
