"""What the register brings with it: CSV files into the tables, whole or not at all."""
