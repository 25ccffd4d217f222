"""Conditions of people, such as "channel = 'email'", made into filters that a table may be given.

A condition is read by a grammar of its own, and what Lance is given is written anew from what was
read: so nothing reaches its parser that was not meant to, whatever its size, depth and functions.
"""
