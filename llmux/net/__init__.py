"""The I/O edge: what comes in as a client request, what goes out to a provider, and the relay between them."""
