"""Reading and writing: documents, records, schemas, exports."""
