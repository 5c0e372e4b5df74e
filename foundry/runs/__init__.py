"""What runs of every kind share: a folder each, one queue, one clean-up.

Begin in `folders.py`: the files of a run, and a reading of them. `store` reads all runs of a kind;
`queue` starts one worker process at a time, `standby` one ahead; `process` is what all workers do;
`cleaning` makes room; `data_sets` and `drawings` are what visitors brought and drew; `cluster` is
how Ray is reached, for runs on several machines.
"""
