"""The scenario language: its parser, its runner, the library of scenarios, and conformance.

`run.run` runs one scenario; `conform.conform` replays recordings of the real system.
"""
