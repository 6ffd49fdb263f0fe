"""Text from outside: made printable, with secrets masked."""
