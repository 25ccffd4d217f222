"""Label files become labelled texts.

In the order of a row's way: files, columns, rows and cells say what stands in a file, matching
which text a row is about, votes, precedence and standing whose label wins; reader does all of it.
"""
