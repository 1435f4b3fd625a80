"""SCHED, the scheduler of users' processes: who runs out of time drops, and rises again."""

from servers.sched.server import Scheduler

__all__ = ["Scheduler"]
