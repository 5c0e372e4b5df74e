"""Measurements that anyone can repeat: `python -m foundry.benchmark <name> [--json FILE]`.

Every module here has `measure()`, which returns plain figures under the names that the JSON file
uses, and `report()`, which puts them into words.
"""
