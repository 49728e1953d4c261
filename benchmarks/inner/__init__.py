"""What is worth measuring although no user takes that road alone; never quoted as a claim."""
