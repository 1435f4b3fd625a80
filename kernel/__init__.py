"""The kernel: who may say what to whom and when; memory, time, schedule policies, probes.

`machine.Machine` is all of it, wired together.
"""
