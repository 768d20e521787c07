"""How we look, and carry what we saw home; in the village and in the operations centre alike."""
