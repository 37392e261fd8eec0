"""Load an app in its own process, and run a task on it there.

`child_process` imports the app. Everything that it prints, from Python, from C or from a child process, goes to
stderr. It can exit, crash, hang or start threads without harm to routegen, and it gets only the environment that the
configuration gives it. `supervisor` isolates it from the network and ends what it leaves behind, but it is not a
sandbox. The task's result comes back as JSON through a pipe that the app does not know. Loading costs one start of
Python in addition to the app's own import.
"""

from routegen.load.app_process import AppProcess, start_app_process
from routegen.load.invented_values import invented_values
from routegen.load.load_advice import find_module_folder, is_source_folder, toml_text

__all__ = ["AppProcess", "find_module_folder", "invented_values", "is_source_folder", "start_app_process", "toml_text"]
