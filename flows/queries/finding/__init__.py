"""Texts found by their meaning: by one view, or by several at once."""
