"""The checks of `verify`, one file for each part of a deployment. Each check yields findings.

A check works on answers that are already there. Only the checks of OAuth endpoints, keys, CORS, routes and the token
get further answers, from the `Answers` that they are given.
"""
