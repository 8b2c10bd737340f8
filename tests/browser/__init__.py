"""The real app in a real browser: a server and a worker of their own, on a data folder of their own."""
