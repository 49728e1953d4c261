"""Delays of ionosphere and troposphere."""
