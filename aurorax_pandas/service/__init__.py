"""An answer to a query from AuroraX: jobs over HTTP, one by one or in windows."""
