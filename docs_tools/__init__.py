"""What writes the generated parts of the documentation and draws the imports; not part of the wheel."""
