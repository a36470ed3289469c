"""Everything between `python3 manage.py …` and running processes: environment, servers, supervisor.

`bootstrap` is loaded by file, before the environment exists, and uses the standard library alone.
"""
