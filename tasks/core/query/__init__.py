"""A query's vector by numpy alone: what torch would say, without the second it takes to load."""
