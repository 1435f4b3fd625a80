"""The servers, which do everything that the kernel does not, and the boot image that starts them.

`boot.boot` makes a machine with all of them; `lib` is what they and user programs share.
"""
