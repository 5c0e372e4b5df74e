"""What trainings, compressions and searches share: a folder each, one queue, one clean-up.

Begin in `folders.py`: the files of a run, and a reading of them. `queue` starts one worker process
at a time; `cleaning` makes room; `cluster` is how Ray is reached, for runs on several machines.
"""
