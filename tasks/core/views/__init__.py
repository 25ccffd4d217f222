"""Views of the whole corpus: how they are written, searched, kept and compared."""
