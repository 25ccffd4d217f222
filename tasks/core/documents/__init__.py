"""Documents become the rows of a corpus; rows and files that are refused go to quarantine."""
