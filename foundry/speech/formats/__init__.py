"""Files that libsndfile does not read as they are.

`headers` gives a WAV file the sizes that its recorder never wrote; `ffmpeg` reads other formats,
where it is installed.
"""
