"""The Photos tab: what is on a picture, and what the network sees in it."""
