"""A first `[tool.routegen]` for a repository.

`source_search` finds the apps in the syntax of the sources, and `app_probe` imports an app and collects the environment
variables that it needs. `configuration_text` writes the tables. `gateway_snippets` shows how the repository's own tool
for infrastructure gets the routes.
"""
