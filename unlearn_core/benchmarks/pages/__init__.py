"""How fast the pages are, for one visitor and for many: `make bench-pages` measures it and writes docs/pages.md."""
