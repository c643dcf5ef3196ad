"""Purifiers: each turns several verified rationales for a problem into one lesson."""
