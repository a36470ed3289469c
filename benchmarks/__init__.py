"""What is measured, against which peer. `manage.py bench NAME` runs `NAME.py`; `goals.toml` says what must come out.

A benchmark is a module with `run(quick: bool) -> list[Row]`. What it compares itself with and cannot be installed
beside us lives in an environment of its own: name it in `peers/NAME.txt` and run it with `peer_python()`.
"""
