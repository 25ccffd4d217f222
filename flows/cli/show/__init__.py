"""What a person sees in the terminal: reports of verbs in words, tables that fit, JSON."""
