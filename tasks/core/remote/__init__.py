"""Tables that lie in an object store: pointers to them, one change at a time, files beside them."""
