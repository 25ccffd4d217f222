"""The methods: from base vectors and labels to the vectors of a view; a file each.

`default_auto` is the default, and says how it is made of `discriminant`, `plda` and `kernel`. `fda`
and `gstransform` are the published ones. `base` says what a new method has to bring,
`settings/methods.py` lists them all.
"""
