"""Carillon beside bare peers on the same machine, in the same run, over the same data."""
