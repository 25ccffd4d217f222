"""Views of the whole corpus: how they are published, searched, exported, kept and compared."""
