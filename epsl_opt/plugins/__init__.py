"""What a plug-in implements (solver, backend, scenario, exporter, study), and the registry that finds it."""
