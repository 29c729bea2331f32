"""The comment desk: decides which reader comments are published, which wait, and which never appear."""
