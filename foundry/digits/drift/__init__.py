"""How much of a network's accuracy is left when digits are not as it learned them.

Begin in `measuring.py`; `corruptions` changes the digits.
"""
