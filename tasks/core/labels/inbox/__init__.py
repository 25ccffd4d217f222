"""Labels that are posted one by one: checked, applied by id, written whole, known by their key."""
