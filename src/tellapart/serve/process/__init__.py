"""The server process: sockets, connections, signals and workers."""
