"""Check results folders, and mend what is damaged by training it again."""
