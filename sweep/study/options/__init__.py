"""The options of a study and its other tables, each declared once."""
