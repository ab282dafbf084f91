"""The WebSocket load test: many users chat, each on a connection of its own."""
