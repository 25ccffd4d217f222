"""What stands in texts: characters, spellings, what is shown of them."""
