"""What scores say of a view, and how sure they are."""
