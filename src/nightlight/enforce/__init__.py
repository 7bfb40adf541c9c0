"""A decision becomes effects; effects reach the platform, at least once each."""
