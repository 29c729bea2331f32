"""Events on their way to the sites: signed webhooks with retries, dead letters, and the feed."""
