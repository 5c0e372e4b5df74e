"""The Draw tab: digits from the pad or a photo, and what the network sees in them."""
