"""Label files become labelled texts."""
