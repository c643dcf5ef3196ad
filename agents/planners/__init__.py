"""Planners: each picks the problems that are taught in a cycle."""
