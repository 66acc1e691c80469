"""Results: their content, and the queries that they answer."""
