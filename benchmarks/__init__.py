"""Measurements of sendrec, each as a ratio to a peer that ran beside it."""
