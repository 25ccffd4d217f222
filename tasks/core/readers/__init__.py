"""Files of any format become rows, and every row that is refused has its reason."""
