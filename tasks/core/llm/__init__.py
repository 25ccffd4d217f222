"""A language model behind an endpoint: what it is asked, and what its replies mean."""
