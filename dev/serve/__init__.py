"""`make serve`: the wiki, the MCP server, the gateway, the inspector and the AuthKit stand-in on one machine.

`__main__` is the command, `local_apps` has the environment variables of both apps and the sample pages of the wiki, and
`local_site` waits until everything answers.
"""
