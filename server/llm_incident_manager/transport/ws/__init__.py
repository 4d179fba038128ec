"""The WebSocket door: events in and changes out, as JSON messages on one connection. docs/websocket.md has them all."""
