"""PM, the process manager: processes' lives, families, users, signals and alarms."""

from servers.pm.server import ProcessManager

__all__ = ["ProcessManager"]
