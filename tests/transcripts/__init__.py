"""Sessions at the command line that pages show, run as written."""
