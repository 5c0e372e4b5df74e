"""Every variant of a model beside the chosen one: how large, how fast, what it answers.

`answers` asks and times them, `bars` shows them and lets one be chosen.
"""
