"""An authorization server for development that behaves like WorkOS AuthKit. It is not part of the wheel.

- `stand_in_settings`: its settings, and the metadata documents.
- `stand_in_state`: clients, sessions, codes, tokens and keys, in memory.
- `grants`, `client_registration`: Authlib's rules with AuthKit's options.
- `authorization_server`: Authlib's server for Starlette.
- `oauth_endpoints`: the ASGI application. `html_pages`: the pages that people see.
- `background`: the server in a thread. `__main__`: the command.
"""
