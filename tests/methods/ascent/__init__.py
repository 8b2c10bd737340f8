"""Methods that increase the loss on the forget set."""
