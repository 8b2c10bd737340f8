"""The pieces of torch that every method and probe builds on, and that know no method."""
