"""A workspace on disk: its paths, its files, its errors."""
