"""What the commands do; `sendrec.cli` says how they are called."""
