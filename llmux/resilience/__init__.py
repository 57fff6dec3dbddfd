"""What keeps an exchange alive when providers fail."""
