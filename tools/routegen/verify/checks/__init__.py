"""What can be wrong on the way, one file for each stretch of it; each yields findings over a `Chain`.

No file here asks anything that the walk hasn't asked, but for the endpoints, the keys and the preflights.
"""
