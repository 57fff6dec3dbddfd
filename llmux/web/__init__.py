"""The HTTP face: the route table, Klein built from it, and the handlers behind it."""
