"""GraphQL over HTTP and WebSocket: a schema made of the contract, whose fields call methods through the one chain.

`contract` says what of the protos is shown and under which names, `schema` binds resolvers to it, `documents` and
`limits` refuse what asks for too much before it runs, `engine` runs the rest, and `app` and `socket` are the doors.
"""
