"""What the command line does beside serving; each command's imports stay inside it, so that `--help` is quick."""
