"""Records of what happened in a machine, and views of them.

`records.Recorder` keeps events, `text` turns them into a trace that people read, `names.Names`
knows what processes are called, and `eventlog` writes events for other programs.
"""

from __future__ import annotations

from tracing.names import Names
from tracing.records import Recorder
from tracing.text import TextView, trace_lines, trace_text

__all__ = ["Names", "Recorder", "TextView", "trace_lines", "trace_text"]
