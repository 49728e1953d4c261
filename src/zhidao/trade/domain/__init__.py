"""Values of a consignment and its papers, and the rules about them."""
