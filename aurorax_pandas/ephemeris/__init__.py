"""Where everyone was: the ephemeris Dataset, tracks read out of it, orbits and footprints."""
