"""Lower bounds: the Lagrangian dual of a cut layer and what maximises it."""
