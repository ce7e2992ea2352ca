"""What the templates may say and draw."""
