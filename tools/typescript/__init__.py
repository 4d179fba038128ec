"""TypeScript definitions of the contract, as REST and WebSocket print it, written from the descriptors."""
