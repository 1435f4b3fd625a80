"""Scenarios that teach one thing each; `sendrec run library/NAME` runs one of them."""
