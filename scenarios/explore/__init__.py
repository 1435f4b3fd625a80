"""Exploring: the same scenario under every schedule that can matter, the simplest first."""

from __future__ import annotations

from scenarios.explore.exploration import explore
from scenarios.explore.search import Exploration, Run

__all__ = ["Exploration", "Run", "explore"]
