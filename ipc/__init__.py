"""What can be said: endpoints, message types, error numbers, and the traps.

- `endpoint`: the numbers by which processes name one another
- `traps`: what a process can ask of the kernel, and the one function that asks
- `message`: what a message is; `messageclass`: how its class is made; `layout`, `wire` and `text`:
  where its fields lie, its bytes, and how people read it; `transaction`: the ids by which VFS finds
  its answers
- `errors`, `signals`, `flags`: named numbers
- the messages: `kernelcalls`, `notification`, `vm`, `pm`, `pm_vfs`, `vfs`, `fs`, `sched`, `rs`,
  `common`, `bdev`, `cdev`
- `registry`: all of them, by number and by name, and which reply answers which request

A user imports the modules; the room itself imports none, so that a program loads what it speaks.
"""
