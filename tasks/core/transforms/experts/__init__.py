"""Several posteriors pooled into one, each with the weight that it has earned out of fold."""
