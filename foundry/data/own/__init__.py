"""Data sets that visitors bring: a file becomes three splits of 28x28 pictures with names.

Begin in `reading.py`: `read_data_set()` finds out what a file is. `folders` reads ZIPs of folders
of pictures, `arrays` NPZ in MedMNIST's form, `idx` pairs of IDX files, `table` CSV in Kaggle's
form. `framing` makes 28x28 of a picture, `splitting` the splits that were not brought.
"""
