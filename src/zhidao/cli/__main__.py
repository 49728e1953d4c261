"""`python -m zhidao.cli`."""

import sys

from zhidao.cli.main import main

sys.exit(main())
