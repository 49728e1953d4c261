"""The pages that a browser gets: built files, served by the node itself."""
