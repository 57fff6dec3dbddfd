"""The wire APIs that clients and providers speak; each is a package with the same rooms."""
