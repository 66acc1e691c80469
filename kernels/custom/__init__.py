"""Custom components: functions over lanes of Python, in the form in which those of this package are written."""
