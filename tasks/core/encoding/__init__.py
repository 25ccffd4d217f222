"""Texts become vectors and features: those of the corpus once, in the base table; queries alike."""
