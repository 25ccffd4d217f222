"""What scores say of a view, how sure they are, and the quality gate that keeps a bad one back."""
