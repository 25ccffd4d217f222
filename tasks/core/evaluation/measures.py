"""The four measures of a view by their keys in score files, in the order they are shown in."""

MEASURES = {"v_measure": "V-measure", "triplets": "triplets", "sts": "STS", "knn": "kNN@10"}
BRIEF = {key: title for key, title in MEASURES.items() if key != "sts"}
"""The three measures that a line of a table or of a commit has room for."""
