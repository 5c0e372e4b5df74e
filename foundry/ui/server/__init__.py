"""How the server deals with many visitors: middleware, limits, waiting queues, downloads."""
