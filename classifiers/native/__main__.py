"""`python -m classifiers.native`: compile the kernel where that is possible."""

import sys

from classifiers.native.build import main

sys.exit(main())
