"""An answer to a query from an ephemeris at hand: conjunctions by the service's rules."""
