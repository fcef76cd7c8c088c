"""What the product does: a file per use case, readable from top to bottom."""
