"""What `make bench` runs: speed as ratios to floors measured in the same run."""
