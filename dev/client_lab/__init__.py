"""Run real MCP clients, and compare them with the recorded runs that the predictions of `routegen verify` rely on.

- `recorded_answers`: the recordings, and the answers of the two servers in each recorded case.
- `replying_servers`: these servers on loopback.
- `client_sessions`: sessions of the clients, each in its own process.
- `__main__`: the command.
"""
