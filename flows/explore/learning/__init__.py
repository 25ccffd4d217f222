"""How a view learns while somebody labels: labels taken in, fits started, and all of it told.

posting: posted labels into their file. refitting, fitting: the fit that follows, in a process of
its own. noticing: what the notes on disk say has happened, whoever did it. hub: who is told.
lasting: a step that fails ends none of it. versions_due: what is recorded once labels rest.
"""
