"""The only room where SQL stands."""
