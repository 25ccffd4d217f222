"""Where the rows of a view lie on a plane: laid out once a version, and kept."""
