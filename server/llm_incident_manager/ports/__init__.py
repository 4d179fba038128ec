"""What the core needs from outside, as Protocols, and the values they take; told.py makes the rows."""
