"""The nouns of the product: frozen dataclasses that import nothing but the standard library."""
