"""Results: their content, and the questions that they answer."""
