"""A stand-in for WorkOS AuthKit on this machine: development equipment, never part of the wheel.

`settings` says how it runs, `state` is what it remembers, `grants` and `registration` are Authlib's rules with
AuthKit's choices, `server` joins Authlib to Starlette, `app` has the endpoints, `pages` the HTML, `__main__` the
command.
"""
