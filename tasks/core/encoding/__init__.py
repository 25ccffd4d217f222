"""Texts become base vectors and features, once, in the base table."""
