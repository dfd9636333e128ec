"""What we remember. The only rooms that import sqlalchemy."""
