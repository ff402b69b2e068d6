"""What is asked: criteria blocks and filters, and the one query that they make."""
