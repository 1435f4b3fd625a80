"""Campaigns: random operations by the million, with every invariant checked after each."""
