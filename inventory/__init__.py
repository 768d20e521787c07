"""How what is watched is read: YAML, CSV and GeoJSON into the model, every mistake with its place."""
