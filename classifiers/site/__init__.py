"""A site's own model: the shipped one as prior knowledge, and what the site's moderators decided on top of it."""
