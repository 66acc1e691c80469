"""What users read about keys, tasks and components."""
