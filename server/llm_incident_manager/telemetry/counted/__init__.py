"""What is counted, an area a file. Each area makes its metrics and has the methods that record; `Metrics` is all of
them together, and is the only one that others know."""
