"""Methods: from base vectors and labels to the vectors of a view."""
