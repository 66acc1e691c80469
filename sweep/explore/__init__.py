"""Maps of two options whose pixels are networks that are trained when a browser looks at them."""
