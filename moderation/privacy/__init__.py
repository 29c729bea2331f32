"""What keeps people's data theirs: keys, encryption, keyed hashes, erasing, exporting."""
