"""Where measurements rest: the archives, all behind the seam in ``base``."""
