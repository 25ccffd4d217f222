"""Arrays and tensors: the ground floor of the mathematics."""
