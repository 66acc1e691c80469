"""Check results folders, and repair damage by training again."""
