"""The faults, one subject a file. Every module of this package is loaded: a new row needs its file and nothing else."""
