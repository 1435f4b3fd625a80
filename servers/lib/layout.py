"""Where things are in a user process's memory, in bytes.

Source: MINIX ``kernel/const.h`` USR_STACKTOP, ``minix/const.h``; the recorded boot.
"""

from __future__ import annotations

from typing import Final

PAGE_SIZE: Final = 4096

# Text and data, which are there from the start; the heap grows from their end.
TEXT_BASE: Final = 0x0804_8000
TEXT_PAGES: Final = 4
DATA_END: Final = TEXT_BASE + TEXT_PAGES * PAGE_SIZE

STACK_TOP: Final = 0xF000_0000
STACK_SIZE: Final = 4 << 20
STACK_BASE: Final = STACK_TOP - STACK_SIZE

# The first frame (arguments, environment) is taken to fill one page of the stack.
STACK_POINTER: Final = STACK_TOP - PAGE_SIZE

# Functions have addresses so that they can be named in messages: the C library's way back from a
# signal handler, and then the program's own handlers.
SIGRETURN_ADDRESS: Final = TEXT_BASE + 0x40
HANDLERS_BASE: Final = TEXT_BASE + 0x100
HANDLER_SIZE: Final = 0x10
