"""`python -m zhidao.cli`."""

import sys

from zhidao.cli.main import program

sys.exit(program())
