"""Several servers, their database, clients and channels in one process on virtual time: a seed decides all of it.

`python -m simulation 500` runs seeds 1 to 500, `40..60` a range, `17..17` one seed. What runs is the product's
own: handlers, pipeline, effects, timers, on a real SQLite database. Simulated are time, scheduling, the way to
the database, the network and the channels, and each of them fails as the seed says. When the faults have stopped and
everything has come to rest, `invariants` must hold.
"""
