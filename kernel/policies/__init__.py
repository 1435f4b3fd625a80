"""Who runs next: one strategy a file, by name.

A policy is asked only when more than one process is ready, before every step.  `choose` answers
with an index into the ready list, in which the process that ran last is first if it still can run,
and the others stand in the order in which they became ready.  The answers are recorded: fed to
`replay`, they give the same run whoever made them.
"""

from __future__ import annotations

from kernel.policies.base import Policy, PolicyError
from kernel.policies.table import POLICIES, make_policy

__all__ = ["POLICIES", "Policy", "PolicyError", "make_policy"]
