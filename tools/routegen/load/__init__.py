"""Load an app in its own process, and run a task on it there.

The app is imported by `child_process`. Everything that it prints, from Python, from C or from a child process, goes
to stderr. It can exit, crash, hang or start threads without harm to routegen, and it sees only the environment that
the configuration gives it. The task's result comes back as JSON through a pipe that the app does not know. Loading
costs one start of Python in addition to the app's own import.
"""

from routegen.load.app_process import AppProcess, start_app_process

__all__ = ["AppProcess", "start_app_process"]
