"""What people look at: plots, tables, pages."""
