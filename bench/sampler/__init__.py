"""What is put on the path of a service that is sampled."""
