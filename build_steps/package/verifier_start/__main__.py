"""`python -m zhidao_verify FILE`."""

from zhidao_verify import program

raise SystemExit(program())
