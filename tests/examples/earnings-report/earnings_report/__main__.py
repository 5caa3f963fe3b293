import sys

from earnings_report.cli import main

sys.exit(main())
