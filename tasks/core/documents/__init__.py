"""Input documents become the rows of a corpus, and what is refused is kept with its reason."""
