#!/usr/bin/env python3
"""The one entrance: `up` starts Cardinal, `test` checks it, every other command is Django's.

This file runs under whatever Python the machine has, so it stays readable to old ones: it refuses what is too
old, makes or finds the environment in .venv, and runs the command inside it.
"""

import importlib
import importlib.util
import os
import sys

OLDEST = (3, 11)


def refuse_old_python(version):
    if tuple(version[:2]) < OLDEST:
        sys.exit(
            "Cardinal needs Python {}.{} or newer, this is Python {}.{}: run manage.py with a newer python3.".format(
                *(OLDEST + tuple(version[:2]))
            )
        )


def load_bootstrap(folder):
    """Import config/launch/bootstrap.py without its parent package, which needs what is not installed yet."""
    launch = os.path.join(folder, "config", "launch")
    spec = importlib.util.spec_from_file_location(
        "cardinal_launch", os.path.join(launch, "__init__.py"), submodule_search_locations=[launch]
    )
    package = importlib.util.module_from_spec(spec)
    sys.modules["cardinal_launch"] = package
    spec.loader.exec_module(package)
    return importlib.import_module("cardinal_launch.bootstrap")


def main():
    refuse_old_python(sys.version_info)
    folder = os.path.dirname(os.path.abspath(__file__))
    load_bootstrap(folder).enter_environment(folder, sys.argv)
    commands = importlib.import_module("config.launch.commands")
    sys.exit(commands.run(sys.argv[1:]))


if __name__ == "__main__":
    main()
