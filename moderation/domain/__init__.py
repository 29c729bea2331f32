"""What the service is about, free of I/O, clock and framework."""
