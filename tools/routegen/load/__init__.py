"""Bringing an app in, isolated, and coming back with what it serves.

The app is imported in a process of its own (`child.py`): whatever it prints, from Python, from C or from a
child process, goes to stderr; it can exit, crash, hang or start threads without taking routegen along; and it
sees an environment that the caller's doesn't leak into. The result comes back as JSON on a pipe that the app
knows nothing of. Costs one start of Python beside the app's own import.
"""

from routegen.load.app_process import Loading, start

__all__ = ["Loading", "start"]
