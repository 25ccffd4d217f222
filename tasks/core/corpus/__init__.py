"""The corpus as a table: what is known of each source, what a change asks for, one commit."""
