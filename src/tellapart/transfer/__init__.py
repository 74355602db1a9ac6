"""Transfer learning: frozen pretrained backbones, their features, and a linear head on them."""
