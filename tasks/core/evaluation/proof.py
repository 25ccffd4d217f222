"""The words for what the gate makes of a view, light enough for the command line."""

PROVEN = "proven"  # better than chance and than the base vectors, beyond the intervals of both
MORE = "some 300 drawn at random mostly prove it"  # 12 of 14 sets of real texts (RESULTS.md)
UNPROVEN = "unproven"  # published, but the labels are too few to tell
REFUSED = "refused"  # not published, unless `fit.gate: false`
WORSE, NOTHING = "worse than the base vectors", "nothing learnt"  # why
