"""The settings of the run that a real worker takes to its end."""

from foundry.training import TrainConfig

# About 190 steps: long enough to be paused under way, over in seconds.
SHORT_RUN = TrainConfig(num_train_images=1000, batch_size=32, epochs=6, rotation_deg=5.0)
