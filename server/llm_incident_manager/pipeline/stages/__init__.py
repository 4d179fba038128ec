"""The stages: thin shells that fetch, let an engine decide, and note what is to be written."""
