"""Replaying recordings of the real system, and comparing field by field."""

from __future__ import annotations

from scenarios.conform.command import conform

__all__ = ["conform"]
