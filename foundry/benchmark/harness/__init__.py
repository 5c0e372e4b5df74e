"""What benchmarks are made with: apps and replicas that they start, engines they compare with."""
