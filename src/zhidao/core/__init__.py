"""The ground floor: values that every room shares and that depend on nothing above."""
