"""The components of a recipe: small functions on lanes, a few lines each."""
