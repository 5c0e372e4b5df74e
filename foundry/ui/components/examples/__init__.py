"""Small pictures that a visitor gave as examples of classes, to be seen and removed."""
