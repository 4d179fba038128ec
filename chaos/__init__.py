"""The chaos suite: breaks real processes, disks, databases and networks under load, and holds the promises against it.

A row of the scorecard is a function in `chaos/faults/`, registered with `@fault`. It drives a real server, real
databases and a real network of our own into one fault and returns figures with their limits. `python -m chaos` runs the
rows and writes `chaos/scorecard.json`. Faults are numbered as in the list of faults that the product is held against.
"""
