"""L2UL at equal forgetting: its runs on draws of images, and what is written and plotted of them."""
