"""The command line: what a person or a script types. Talks to a running server through the client, as anybody would."""
