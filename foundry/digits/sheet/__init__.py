"""What a sheet has on it besides a pen, each thing taken away in turn.

Its light and colour (`paper`), measured against its grain (`texture`); boxes and frames that digits
are in (`frames`), a ruling all over it (`ruling`), and other printed lines (`rules`): straight ones
are found by `lines`, and `forms` says which of them are boxes or combs.
"""
