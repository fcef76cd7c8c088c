"""What learns from a site's own mail which is spam: features, an online model, and what its points mean."""
