"""What people sign in with besides a password, where it is kept and asked for."""
