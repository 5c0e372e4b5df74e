"""What the Speech tab shows of the model's insides: every letter over time, and how CTC reads it.

`kept` keeps what a model said of a recording, `look` takes a stretch of it and says what became of
it, `chart` draws it.
"""
