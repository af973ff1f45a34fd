"""The side bar: everything that a library can be looked through by."""
