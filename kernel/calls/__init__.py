"""The kernel calls: one function for each, and the table that finds it."""

from __future__ import annotations

from kernel.calls.table import CALLS, KernelCalls

__all__ = ["CALLS", "KernelCalls"]
