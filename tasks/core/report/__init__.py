"""A view as a person sees it: maps, scores and lists on one page that needs no network."""
