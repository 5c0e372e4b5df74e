"""The Speech tab: a recording or a microphone becomes words."""
