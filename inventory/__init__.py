"""How the inventory is read: YAML, CSV, GeoJSON into the model, every mistake with its place."""
