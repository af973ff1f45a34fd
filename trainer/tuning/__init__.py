"""Teaching a model a person's own photos: look, learn, measure before and after."""
