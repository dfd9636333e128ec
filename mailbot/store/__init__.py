"""What we remember. The only rooms that know SQL; sqlalchemy only makes and changes the tables."""
