"""VM, the server of virtual memory: `start_vm` makes it, from what it finds at boot."""

from servers.vm.config import BootAcl, BootConfig, BootProcess, BootRegion
from servers.vm.quirks import VM_QUIRKS
from servers.vm.server import VmServer, start_vm

__all__ = [
    "VM_QUIRKS",
    "BootAcl",
    "BootConfig",
    "BootProcess",
    "BootRegion",
    "VmServer",
    "start_vm",
]
