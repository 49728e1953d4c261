"""Compiled twins of the hot loops; everything here also exists in plain numpy beside its user.

Modules of this folder import numba when they are imported, so they are imported only where
`compiling.ready` says so.
"""
