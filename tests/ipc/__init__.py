"""Tests of what can be said: messages, endpoints, errors, signals and flags."""
